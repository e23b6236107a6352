/** The code that the explorer offers: it runs in a shell, and compiles against the emitted client. */
import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { app } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { curl, inputOf, typescript } from '../../runtime/explorer/page/code.ts'
import { readMethods } from '../../runtime/explorer/page/lexicon.ts'
import type { Params } from '../../runtime/explorer/page/place.ts'
import { UserProject } from '../compile/user-project.ts'

const SERVICE = 'https://index.example.com/below'
const NOTIFY = {
  lexicon: 1,
  id: 'com.example.notifyOfUpdate',
  defs: {
    main: {
      type: 'procedure',
      input: {
        encoding: 'application/json',
        schema: {
          type: 'object',
          properties: { uri: { type: 'string' }, uris: { type: 'array', items: { type: 'string' } } },
        },
      },
    },
  },
}
const methods = readMethods([...app.lexicons, NOTIFY], 'com.example')
const method = (id: string) => methods.find((candidate) => candidate.id === id)!

const AWKWARD = `it's "quoted" \\ \u2028 \n $HOME \`x\` %41&=+#é\u{1F980}`

const CALLS: readonly (readonly [id: string, params: Params])[] = [
  ['event.listRecords', []],
  [
    'event.listRecords',
    [
      ['mode', 'one'],
      ['mode', AWKWARD],
      ['startsAtMin', '2026-01-01T00:00:00Z'],
      ['rsvpsCountMin', '10'],
      ['search', AWKWARD],
      ['sort', 'rsvpsCount'],
      ['order', 'asc'],
      ['hydrateRsvps', '5'],
      ['profiles', 'true'],
      ['limit', '7'],
      ['actor', 'alice.test'],
    ],
  ],
  ['event.listRecords', [['mode', 'one']]],
  ['rsvp.listRecords', [['hydrateEvent', '1']]],
  ['event.getRecord', [['uri', 'at://did:plc:a/community.lexicon.calendar.event/1']]],
  ['getCursor', []],
  ['getProfile', [['actor', 'alice.test']]],
]

describe('curl', () => {
  test.each(CALLS)('%s %j gives a shell one argument, which says the same', (id, params) => {
    const printed = curl(SERVICE, method(id), params).replace(/^curl /, 'printf %s ')
    const url = new URL(execFileSync('sh', ['-c', printed], { encoding: 'utf8' }))
    expect(url.origin + url.pathname).toBe(`${SERVICE}/xrpc/com.example.${id}`)
    expect([...url.searchParams]).toEqual(params)
  })

  test('of a procedure sends its input', () => {
    const code = curl(SERVICE, method('notifyOfUpdate'), [['uris', AWKWARD]])
    const script = code.replace(/^curl /, `printf '%s\\n' `)
    const words = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\n')
    expect(words.slice(0, 5)).toEqual([
      '-X',
      'POST',
      `${SERVICE}/xrpc/com.example.notifyOfUpdate`,
      '-H',
      'content-type: application/json',
    ])
    expect(JSON.parse(words[6]!)).toEqual({ uris: [AWKWARD] })
  })
})

describe('TypeScript', () => {
  let project: UserProject
  beforeAll(() => {
    project = new UserProject()
    const app = path.resolve(import.meta.dirname, '../../fixtures/apps/calendar/src/lexidex')
    cpSync(app, path.join(project.root, 'src/lexidex'), { recursive: true })
  }, 120_000)
  afterAll(() => project.remove())

  test('compiles strictly against the emitted client', () => {
    for (const [i, [id, params]] of CALLS.entries()) {
      const use = typescript(SERVICE, method(id), params).includes('{ records, cursor }') ? 'records, cursor' : 'result'
      project.write(`src/call${i}.ts`, `${typescript(SERVICE, method(id), params)}\nconsole.log(${use})\n`)
    }
    expect(project.check(['src/call*.ts'], 'nodenext', { target: 'es2022', noUnusedLocals: true })).toEqual([])
  }, 120_000)

  test('says what the parameters say', () => {
    const [id, params] = CALLS[1]!
    const code = typescript(SERVICE, method(id), params)
    const [, argument] = /listRecords\((.*)\)$/s.exec(code)!
    expect(new Function(`return ${argument}`)()).toEqual({
      mode: ['one', AWKWARD],
      startsAtMin: '2026-01-01T00:00:00Z',
      rsvpsCountMin: 10,
      search: AWKWARD,
      sort: 'rsvpsCount',
      order: 'asc',
      hydrateRsvps: 5,
      profiles: true,
      limit: 7,
      actor: 'alice.test',
    })
  })

  test('of notifyOfUpdate takes URIs as they are', () => {
    const code = (params: Params) => typescript(SERVICE, method('notifyOfUpdate'), params).split('\n').at(-1)
    expect(code([['uri', 'at://a/b/c']])).toBe(`const result = await api.notifyOfUpdate('at://a/b/c')`)
    expect(
      code([
        ['uris', 'at://a/b/c'],
        ['uris', 'at://a/b/d'],
      ]),
    ).toBe(`const result = await api.notifyOfUpdate(['at://a/b/c', 'at://a/b/d'])`)
  })
})

test('the input of a procedure has the types of its lexicon', () => {
  const lexicon = structuredClone(NOTIFY) as any
  lexicon.defs.main.input.schema.properties = {
    name: { type: 'string' },
    n: { type: 'integer' },
    flags: { type: 'array', items: { type: 'boolean' } },
    none: { type: 'string' },
  }
  const [procedure] = readMethods([lexicon], 'com.example')
  expect(
    inputOf(procedure!, [
      ['n', '5'],
      ['flags', 'true'],
      ['flags', 'false'],
      ['name', '5'],
      ['other', 'x'],
    ]),
  ).toEqual({
    name: '5',
    n: 5,
    flags: [true, false],
  })
})
