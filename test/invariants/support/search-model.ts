import fc from 'fast-check'
import { type Clause, parseSearch, type Term } from '../../../runtime/core/search.ts'

/** Marks that do not count, beside whatever letter. */
const ACCENTS = '[\\u0300-\\u0304\\u0306-\\u030c\\u030f\\u0311\\u031b\\u0323-\\u0328\\u032d\\u032e\\u0330\\u0331]+'
const ON_LATIN = new RegExp(`([A-Za-z])${ACCENTS}`, 'g')
const ELSEWHERE = new RegExp(ACCENTS, 'g')

/** Letters, numbers and marks, but none that choose an emoji's looks. */
const WORD = /(?:(?![\ufe00-\ufe0f])[\p{L}\p{N}\p{Mn}\p{Mc}\p{Co}])+/gu

/** The words of a text, as the README says that they are compared: without case and accents. */
function wordsOf(text: string): string[] {
  const bare = text.normalize('NFD').replace(ON_LATIN, '$1').normalize('NFC').replace(ELSEWHERE, '')
  return bare.toLowerCase().replaceAll('ς', 'σ').match(WORD) ?? []
}

/** Whether the words of a term stand next to each other in a field. */
function holds(field: readonly string[], { text, prefix }: Term): boolean {
  const wanted = wordsOf(text)
  return field.some((_, at) =>
    wanted.every((word, i) => {
      const found = field[at + i] ?? ''
      return prefix && i === wanted.length - 1 ? found.startsWith(word) : found === word
    }),
  )
}

/** Which texts, of several fields each, a search finds. Throws what the parser does. */
export function searchModel(search: string): (fields: readonly string[]) => boolean {
  const clauses: readonly Clause[] = parseSearch(search)
  return (fields) => {
    const words = fields.map(wordsOf)
    const has = (term: Term) => words.some((field) => holds(field, term))
    return clauses.some(({ wanted, unwanted }) => wanted.every(has) && !unwanted.some(has))
  }
}

/** Each word in several forms that are the same, or nearly. */
const WORDS = [
  ...['cafe', 'CAFÉ', 'cafe\u0301', 'cafés', 'naïve', 'Ångström', 'angstrom', 'tiếng', 'TIẾNG', 'tieng', 'İstanbul'],
  ...['λόγος', 'ΛΌΓΟΣ', 'λόγοσ', 'λογος', 'привет', 'ПРИВЕТ', 'за\u0301мок', 'замок', 'й', 'и', 'straße', 'strasse'],
  ...[
    '日本語',
    '日本',
    'テスト',
    '한국어',
    'हिन्दी',
    'हिन्दू',
    'हन',
    'ภาษาไทย',
    'שָׁלוֹם',
    'שלום',
    'مرحبا',
    '٣',
    '३',
    '3',
    '²',
    'm²',
    '½',
  ],
  ...['don', 't', 'rock', 'n', 'roll', 'red', 'RED', 'redder', 're', 'or', 'not', 'and', 'near', 'e2', '1e5'],
  ...['x'.repeat(600), 'x'.repeat(3000), `${'漢'.repeat(700)}字`, 'x'.repeat(2047), 'x'.repeat(2046)],
] as const

/** What may stand between words: some of it parts them. */
const BETWEEN = [
  ...[
    ' ',
    ' ',
    ' ',
    '-',
    "'",
    '’',
    '_',
    '.',
    ', ',
    '/',
    '\n',
    '\t',
    '\0',
    '\u00a0',
    '\u3000',
    '、',
    '。',
    '—',
    '…',
    '＋',
  ],
  ...['🎉', '🥂', '🫶🏽', '❤️', '1️⃣', '🏳️‍🌈', '👩‍👩‍👧', '🇩🇪', '₿', '€', '\u200b', '\u200d', '\u00ad', '؟', '।', ''],
] as const

const between = fc.constantFrom(...BETWEEN)

/** Records of two texts each, and what is looked for in them. Both of few words, so that much is found. */
export const searchCase = fc.uniqueArray(fc.nat(WORDS.length - 1), { minLength: 2, maxLength: 5 }).chain((places) => {
  // With what stands beside them in the list, which is mostly nearly the same.
  const words = fc.constantFrom(...places.flatMap((at) => WORDS.slice(at, at + 2)))
  return fc.record({
    texts: fc.array(fc.tuple(textOf(words), fc.oneof(textOf(words), fc.constantFrom('', ...HALVES))), {
      minLength: 1,
      maxLength: 12,
    }),
    searches: fc.array(searchOf(words), { minLength: 12, maxLength: 12 }),
  })
})

/** Half a character parts words. */
const HALVES = ['\ud800red', 'red\udc00roll']

/** Words, and what stands around them. */
function textOf(word: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.array(fc.tuple(word, between), { maxLength: 6 }).map((pairs) => pairs.flat().join(''))
}

/** A search as somebody may type it; some cannot be understood. */
function searchOf(word: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const short = word.map((one) => (one.length > 700 ? one.slice(0, 300) : one))
  const length = fc.integer({ min: 2, max: 6 })
  const beginning = fc.tuple(short, length).map(([one, characters]) => [...one].slice(0, characters).join(''))
  const glued = fc.array(fc.tuple(short, between), { minLength: 1, maxLength: 3 }).map((pairs) => pairs.flat().join(''))
  const term = fc.oneof(
    { weight: 4, arbitrary: short },
    { weight: 3, arbitrary: beginning.map((one) => `${one}*`) },
    { weight: 2, arbitrary: glued },
    { weight: 3, arbitrary: glued.map((one) => `"${one}"`) },
    { weight: 1, arbitrary: fc.tuple(glued, beginning).map((pair) => `"${pair.join(' ')}"*`) },
  )
  return fc
    .array(fc.tuple(fc.constantFrom('', '', '', '-', 'OR '), term), { minLength: 1, maxLength: 4 })
    .map((terms) => terms.map(([sign, one]) => `${sign}${one}`).join(' '))
    .filter((one) => one.length <= 1000 && encodeURIComponent(one).length < 7000)
}
