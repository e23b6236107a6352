import { describe, expect, test } from 'vitest'
import { batchOf, del, meetup, put, refuse } from './app.ts'
import { freshStore, type OpenDatabase } from './harness.ts'

const TITLES = {
  umlauts: 'Äpfel & Birnen',
  cyrillic: 'Привет мир за\u0301мок',
  accents: 'CAFÉ Zürich',
  vietnamese: 'tiếng Việt',
  japanese: '日本語 テスト',
  numbers: 'foo_bar 1e5abc ٣ १२ m²',
  apostrophe: 'don’t stop',
  greek: 'Ελλάδα λόγος',
  hindi: 'हिन्दी',
  hebrew: 'שָׁלוֹם',
  emoji: 'Party🥂tonight ❤️red 👋🏽you 1️⃣one',
  nul: 'che\0ss',
  half: 'tea\ud800pot',
  long: `${'y'.repeat(3000)} ${'漢'.repeat(700)}字`,
  hyphens: 'rock-n-roll C++ a.b/c',
} as const

/** What is asked for, and who has it. Most of it is what one of the databases took for something else once. */
const ASKED: Readonly<Record<string, readonly (keyof typeof TITLES)[]>> = {
  'apfel BIRNEN': ['umlauts'],
  привет: ['cyrillic'],
  замок: ['cyrillic'],
  'cafe zurich': ['accents'],
  café: ['accents'],
  'cafe\u0301': ['accents'],
  'TIENG viet': ['vietnamese'],
  日本語: ['japanese'],
  日本: [],
  '日本*': ['japanese'],
  bar: ['numbers'],
  '1e5abc': ['numbers'],
  '1e5*': ['numbers'],
  '٣': ['numbers'],
  '१२': ['numbers'],
  'm²': ['numbers'],
  m: [],
  '"don\'t stop"': ['apostrophe'],
  "don't": ['apostrophe'],
  ελλάδα: ['greek'],
  ΛΌΓΟΣ: ['greek'],
  हिन्दी: ['hindi'],
  हन्दू: [],
  'हि*': ['hindi'],
  שָׁלוֹם: ['hebrew'],
  tonight: ['emoji'],
  'red you': ['emoji'],
  'party🥂tonight': ['emoji'],
  'che ss': ['nul'],
  chess: [],
  pot: ['half'],
  [`${'y'.repeat(900)}*`]: ['long'],
  ['y'.repeat(900)]: [],
  [`${'漢'.repeat(700)}字`]: ['long'],
  'rock-n-roll': ['hyphens'],
  '"n roll"': ['hyphens'],
  'roll -c': [],
  'stop OR roll': ['apostrophe', 'hyphens'],
  'stop OR roll -rock': ['apostrophe'],
}

/** Which records a search finds, on every database. That it does so for any search is in `test/invariants`. */
export function searchContract(open: OpenDatabase): void {
  const context = freshStore(open)

  /** By both ways to matches. */
  async function found(search: string): Promise<string[]> {
    const { store } = context
    const condition = `SELECT rkey FROM meetup WHERE hidden = 0 AND ${store.reads.searchCondition(meetup)} ORDER BY rkey`
    const matches = `SELECT rkey FROM ${store.reads.searchMatches(meetup)} AS matches
      JOIN meetup ON meetup.id = lexidex_id ORDER BY rkey`
    const compiled = store.reads.compileSearch(search)
    const [rows, others] = await Promise.all([condition, matches].map((sql) => store.prepare(sql).all([compiled])))
    expect(others).toEqual(rows)
    return rows!.map((row) => String(row.rkey))
  }

  describe('words of every script', () => {
    test('are found whatever their case and accents, and whatever stands between them', async () => {
      const puts = Object.entries(TITLES).map(([rkey, title]) =>
        put({ collection: meetup, rev: 1, rkey, record: { title } }),
      )
      await context.store.apply(batchOf(...puts))
      const answers: Record<string, string[]> = {}
      for (const search of Object.keys(ASKED)) answers[search] = await found(search)
      expect(answers).toEqual(ASKED)
    })
  })

  test('words follow the record: changed, refused, removed, made again', async () => {
    const { store } = context
    const at = { collection: meetup, rkey: 'one' }
    await store.apply(batchOf(put({ ...at, rev: 1, record: { title: 'chess and coffee' } })))
    expect([await found('coffee'), await found('chess')]).toEqual([['one'], ['one']])
    // An update of what is not searched leaves them as they are.
    await store.apply(batchOf(put({ ...at, rev: 2, record: { title: 'chess and coffee', mode: 'online' } })))
    expect(await found('coffee')).toEqual(['one'])
    await store.apply(batchOf(put({ ...at, rev: 3, record: { title: 'chess and tea' } })))
    expect([await found('coffee'), await found('tea')]).toEqual([[], ['one']])
    await store.apply(batchOf(refuse({ ...at, rev: 4 })))
    expect(await found('tea')).toEqual([])
    await store.apply(batchOf(put({ ...at, rev: 5, record: { title: 'tea' } })))
    expect(await found('tea')).toEqual(['one'])
    await store.apply(batchOf(del({ ...at, rev: 6 })))
    expect(await found('tea')).toEqual([])
  })
}
