/** What is emitted by way of lex-cli is what its command would write, and its command takes what is emitted. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type LexiconDoc, Lexicons, parseLexiconDoc } from '@atproto/lexicon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { knownKeysOnly } from '../../generator/emit/lex-cli-input.ts'
import { type EmittedFile, type GenerateResult, generate } from '../../generator/generate.ts'
import { reachable } from '../../generator/input/closure.ts'
import { loadLexicons } from '../../generator/input/lexicons.ts'
import { UserProject } from '../compile/user-project.ts'
import { cases, Golden } from '../golden/cases.ts'
import { cacheDir, repository } from './support/project.ts'

const bin = path.join(repository, 'node_modules/@atproto/lex-cli/bin.js')
const appsFolder = path.join(repository, 'fixtures/apps')
const apps = new Map<string, GenerateResult>()
let scratch: string

beforeAll(async () => {
  scratch = mkdtempSync(path.join(tmpdir(), 'lexidex-lex-'))
  for (const name of readdirSync(appsFolder)) {
    apps.set(name, await generate({ root: path.join(appsFolder, name), write: false, cacheDir }))
  }
})

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Documents that the emitted record types of an app are made from. */
async function recordDocs({ model }: GenerateResult): Promise<LexiconDoc[]> {
  const needed = model.collections.map(({ nsid }) => nsid)
  const { docs } = await loadLexicons([], { needed })
  return reachable(docs, needed).docs.map(knownKeysOnly)
}

function methodDocs({ files }: GenerateResult): LexiconDoc[] {
  return files
    .filter((file) => /^lexicons\/.*\.json$/.test(file.path))
    .map((file) => parseLexiconDoc(JSON.parse(file.content)))
}

/** Runs `lex gen-api`; files by path. */
function genApi(docs: readonly LexiconDoc[]): Record<string, string> {
  const input = mkdtempSync(path.join(scratch, 'in-'))
  const output = mkdtempSync(path.join(scratch, 'out-'))
  for (const doc of docs) writeFileSync(path.join(input, `${doc.id}.json`), JSON.stringify(doc))
  const lexicons = docs.map((doc) => path.join(input, `${doc.id}.json`))
  execFileSync(process.execPath, [bin, 'gen-api', '--yes', output, ...lexicons], { stdio: 'pipe' })
  const files = readdirSync(output, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return Object.fromEntries(
    files.map((file) => [file.replaceAll(path.sep, '/'), readFileSync(path.join(output, file), 'utf8')]),
  )
}

test('record types are those of `lex gen-api`, but for what is imported', async () => {
  const calendar = apps.get('calendar')!
  const emitted = calendar.files.filter((file) => /^records\/(types\/|util\.ts$)/.test(file.path))
  const written = Object.entries(genApi(await recordDocs(calendar))).filter(([file]) =>
    /^(types\/|util\.ts$)/.test(file),
  )
  expect(Object.fromEntries(emitted.map(withoutImports))).toEqual(
    Object.fromEntries(written.map(([file, content]) => withoutImports({ path: `records/${file}`, content }))),
  )
})

function withoutImports({ path, content }: EmittedFile): [string, string] {
  const body = content
    .replaceAll(/^import [^']*'[^']+'\n/gm, '')
    .replaceAll(/^\/\/ .*\n/gm, '')
    .replace(/^\/\*\*\n \* GENERATED CODE - DO NOT MODIFY\n \*\/\n/, '')
  return [path, body.trim()]
}

const successful = cases.filter((golden) => new Golden(golden).files() !== null)
const projects = [
  ...readdirSync(appsFolder).map((name) => ({ name, root: path.join(appsFolder, name) })),
  ...successful,
]

test.each(projects)('method lexicons of $name are valid, complete and where their names say', async ({ root }) => {
  const generated = await generate({ root, write: false, cacheDir })
  const docs = methodDocs(generated)
  const lexicons = new Lexicons(structuredClone(docs))
  const refs = docs.flatMap((doc) => [...refsIn(doc)].map((ref) => (ref.startsWith('#') ? doc.id + ref : ref)))
  for (const ref of refs) expect(lexicons.getDef(ref), ref).toBeDefined()

  const { namespace, collections } = generated.model
  const methods = collections.flatMap((c) => c.methods.map((method) => `${namespace}.${c.name}.${method}`))
  expect(docs.map((doc) => doc.id)).toEqual(expect.arrayContaining(methods))
  expect(generated.files.map((file) => file.path)).toEqual(
    expect.arrayContaining(docs.map((doc) => `lexicons/${doc.id.replaceAll('.', '/')}.json`)),
  )
})

function* refsIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  const { type, ref, refs } = value as Record<string, unknown>
  if (type === 'ref') yield ref as string
  if (type === 'union') yield* refs as string[]
  for (const inner of Object.values(value)) yield* refsIn(inner)
}

test('`lex gen-api` makes clients of the method lexicons that compile strictly', async () => {
  const project = new UserProject()
  try {
    for (const [name, app] of apps) {
      const client = genApi(methodDocs(app))
      for (const [file, content] of Object.entries(client)) project.write(`${name}/client/${file}`, content)
      const { namespace, collections } = app.model
      const [collection] = collections
      const call = `new AtpBaseClient(fetch).${namespace}.${collection!.name}.listRecords({ limit: 10 })`
      project.write(
        `${name}/use.ts`,
        `import { AtpBaseClient } from './client/index.js'
        const { data } = await ${call}
        export const uris: string[] = data.records.map((record) => record.uri)`,
      )
    }
    // lex-cli's own output names types like values.
    const options = { verbatimModuleSyntax: false, exactOptionalPropertyTypes: false }
    expect(project.check([...apps.keys()], 'nodenext', options)).toEqual([])
  } finally {
    project.remove()
  }
})

describe('responses and parameters of the calendar', () => {
  const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
  const cid = 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a'
  const envelope = (collection: string, rkey: string, value: object) => ({
    ...{ uri: `at://${did}/${collection}/${rkey}`, cid, did, collection, rkey, time_us: 1_780_000_000_000_000 },
    value: { $type: collection, ...value },
  })
  const event = {
    ...envelope('community.lexicon.calendar.event', '3lsqfvzxbx22o', { name: 'Meetup' }),
    rsvpsCount: 3,
    rsvpsGoingCount: 2,
  }
  const rsvp = envelope('community.lexicon.calendar.rsvp', '3lsqfvzxbx22p', { status: '#going' })
  const lexicons = () => new Lexicons(methodDocs(apps.get('calendar')!))

  test.each([
    ['com.example.event.listRecords', { records: [], cursor: 'x' }],
    ['com.example.event.listRecords', { records: [event, { ...event, rsvps: { going: [rsvp], interested: [] } }] }],
    ['com.example.event.getRecord', event],
    ['com.example.rsvp.getRecord', { ...rsvp, event }],
    ['com.example.getCursor', { time_us: 1, date: '2026-05-01T18:00:00.000Z', seconds_ago: 2 }],
    ['com.example.lexicons', { lexicons: [{ lexicon: 1, id: 'com.example.lexicons', defs: {} }] }],
  ])('%s takes an answer that is right', (nsid, body) => {
    expect(() => lexicons().assertValidXrpcOutput(nsid, body)).not.toThrow()
  })

  test.each([
    ['com.example.event.listRecords', {}],
    ['com.example.event.listRecords', { records: [{ ...event, time_us: 'now' }] }],
    ['com.example.event.listRecords', { records: [{ ...event, uri: 'https://example.com' }] }],
    ['com.example.event.getRecord', { ...event, rsvpsCount: 'many' }],
    ['com.example.rsvp.getRecord', { ...rsvp, event: { uri: event.uri } }],
  ])('%s refuses an answer that is wrong', (nsid, body) => {
    expect(() => lexicons().assertValidXrpcOutput(nsid, body)).toThrow()
  })

  test('parameters have types and limits', () => {
    const check = (params: object) => lexicons().assertValidXrpcParams('com.example.event.listRecords', params)
    expect(check({ mode: ['a', 'b'], startsAtMin: '2026-05-01T18:00:00Z', hydrateRsvps: 5 })).toMatchObject({
      limit: 50,
    })
    for (const wrong of [{ limit: 201 }, { startsAtMin: 'tomorrow' }, { hydrateRsvps: 51 }, { sort: 'name' }]) {
      expect(() => check(wrong), JSON.stringify(wrong)).toThrow()
    }
    expect(() => lexicons().assertValidXrpcParams('com.example.event.getRecord', {})).toThrow()
  })
})
