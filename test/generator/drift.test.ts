/** What is written and removed, and what never is. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { GenerateError, generate } from '../../generator/generate.ts'
import { cacheDir, repository, temporaryDirectory, temporaryProject, writeTree } from './support/project.ts'

const NOTHING = { stale: [], missing: [], extra: [] }
const appsFolder = path.join(repository, 'fixtures/apps')

test.each(readdirSync(appsFolder))('fixtures/apps/%s is what the generator writes today', async (app) => {
  const { drift } = await generate({ root: path.join(appsFolder, app), write: false, cacheDir })
  expect(drift).toEqual(NOTHING)
})

const lexicon = (nsid: string) =>
  JSON.stringify({
    ...{ lexicon: 1, id: nsid },
    defs: {
      main: {
        ...{ type: 'record', key: 'tid' },
        record: {
          type: 'object',
          properties: { text: { type: 'string' }, createdAt: { type: 'string', format: 'datetime' } },
        },
      },
    },
  })

const config = (names: readonly string[], more = '') => `
  export default {
    namespace: 'com.example',
    profiles: [],
    collections: { ${names.map((name) => `${name}: { collection: 'com.example.drift.${name}' }`).join(', ')} },
    ${more}
  }
`

/** A project with the collections `note` and `draft`, not generated yet. */
function newProject(): string {
  return temporaryProject({
    'lexidex.config.mjs': config(['note', 'draft']),
    'lexicons/note.json': lexicon('com.example.drift.note'),
    'lexicons/draft.json': lexicon('com.example.drift.draft'),
  })
}

const run = (root: string, write = true) => generate({ root, write, cacheDir })

/** Every file below a directory, with its content. */
function readTree(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files
      .map((entry) => path.join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [path.relative(directory, file), readFileSync(file, 'utf8')]),
  )
}

describe('writing', () => {
  test('writes what is missing, then nothing', async () => {
    const root = newProject()
    const first = await run(root)
    expect(first.drift.missing).toEqual(first.files.map((file) => file.path))
    expect(Object.keys(readTree(first.outDir)).sort()).toEqual(first.files.map((file) => file.path).sort())
    expect((await run(root)).drift).toEqual(NOTHING)
  })

  test('writes nothing when asked not to', async () => {
    const root = newProject()
    const { outDir, drift } = await run(root, false)
    expect(drift.missing).toContain('index.ts')
    expect(existsSync(outDir)).toBe(false)
  })

  test('mends what was edited and what was deleted', async () => {
    const root = newProject()
    const { outDir } = await run(root)
    const before = readTree(outDir)
    appendFileSync(path.join(outDir, 'tables.ts'), '\n// edited\n')
    rmSync(path.join(outDir, 'model.json'))
    expect((await run(root)).drift).toEqual({ stale: ['tables.ts'], missing: ['model.json'], extra: [] })
    expect(readTree(outDir)).toEqual(before)
  })

  test('takes a checkout with CRLF for what it is', async () => {
    const root = newProject()
    const { outDir } = await run(root)
    for (const [file, content] of Object.entries(readTree(outDir))) {
      writeFileSync(path.join(outDir, file), content.replaceAll('\n', '\r\n'))
    }
    expect((await run(root, false)).drift).toEqual(NOTHING)
  })

  test('writes nothing where there are errors', async () => {
    const root = newProject()
    const { outDir } = await run(root)
    const before = readTree(outDir)
    writeTree(root, { 'lexidex.config.mjs': config(['note', 'unknown']) })
    await expect(run(root)).rejects.toThrow(GenerateError)
    writeTree(root, { 'lexidex.config.mjs': config(['note'], "outDir: '../elsewhere',") })
    await expect(run(root)).rejects.toThrow(GenerateError)
    expect(readTree(outDir)).toEqual(before)
  })
})

describe('removing', () => {
  test('removes what is no longer emitted, with the folders that it leaves empty, and keeps what users have', async () => {
    const root = newProject()
    const { outDir } = await run(root)
    const own = {
      'notes.md': '# Mine',
      'collections/mine.ts': 'export {}',
      'lexicons/com/example/draft/own.json': '{}',
    }
    writeTree(outDir, own)
    mkdirSync(path.join(outDir, 'empty'))

    writeTree(root, { 'lexidex.config.mjs': config(['note']) })
    const { drift } = await run(root)
    expect(drift.extra).toEqual([
      'collections/draft.ts',
      'lexicons/com/example/draft/defs.json',
      'lexicons/com/example/draft/getRecord.json',
      'lexicons/com/example/draft/listRecords.json',
      'records/types/com/example/drift/draft.ts',
    ])
    for (const file of drift.extra) expect(existsSync(path.join(outDir, file)), file).toBe(false)
    expect(readTree(outDir)).toMatchObject(own)
    expect(existsSync(path.join(outDir, 'empty'))).toBe(true)

    rmSync(path.join(outDir, 'lexicons/com/example/draft/own.json'))
    writeTree(root, { 'lexidex.config.mjs': config([]) })
    await run(root)
    expect(existsSync(path.join(outDir, 'records/types'))).toBe(false)
    expect(readTree(outDir)).toMatchObject({ 'notes.md': '# Mine' })
  })

  test('gives the same tree whatever was there before', async () => {
    const root = newProject()
    await run(root)
    writeTree(root, { 'lexidex.config.mjs': config(['note']) })
    const changed = readTree((await run(root)).outDir)
    const fresh = newProject()
    writeTree(fresh, { 'lexidex.config.mjs': config(['note']) })
    expect(changed).toEqual(readTree((await run(fresh)).outDir))
  })

  test('a damaged manifest reaches neither out of the directory nor to what a user has there', async () => {
    const root = newProject()
    const { outDir } = await run(root)
    const outside = temporaryDirectory()
    writeTree(outside, { 'victim.ts': 'export {}' })
    writeTree(root, { 'src/victim.ts': 'export {}', 'src/victim.json': '{}' })
    writeTree(outDir, { 'mine.ts': 'export {}' })
    symlinkSync(outside, path.join(outDir, 'link'), 'dir')
    const everything = () => [readTree(path.join(root, 'src')), readTree(outside)]
    const before = everything()

    const lines = [
      ...['../victim.ts', '../victim.json', 'collections/../../victim.ts', './../victim.ts', '..\\victim.ts'],
      ...[path.join(outside, 'victim.ts'), 'C:\\victim.ts', 'C:victim.ts', 'link/victim.ts', 'link'],
      ...['mine.ts', 'collections', 'collections/', '.', '..', '/', '', ' ', 'nothing.ts', '\0', '# mine.ts'],
    ]
    appendFileSync(path.join(outDir, '.lexidex-files'), `${lines.join('\n')}\n`)
    const { drift } = await run(root)
    expect(drift).toEqual({ stale: ['.lexidex-files'], missing: [], extra: [] })
    expect(everything()).toEqual(before)
    expect((await run(root)).drift).toEqual(NOTHING)
  })
})

describe("a user's own files where emitted ones would be", () => {
  test('are not overwritten', async () => {
    const root = newProject()
    writeTree(root, { 'src/index.ts': 'export const mine = 1\n', 'src/main.ts': 'export {}\n' })
    writeTree(root, { 'lexidex.config.mjs': config(['note'], "outDir: 'src',") })
    const error = await run(root).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(GenerateError)
    expect((error as GenerateError).issues).toMatchObject([{ code: 'foreign-file', path: 'src/index.ts' }])
    expect(readTree(path.join(root, 'src'))).toEqual({
      'index.ts': 'export const mine = 1\n',
      'main.ts': 'export {}\n',
    })
  })

  test('are not overwritten later, either', async () => {
    const root = newProject()
    writeTree(root, { 'lexidex.config.mjs': config(['note']) })
    const { outDir } = await run(root)
    writeTree(outDir, { 'collections/draft.ts': 'export {}', 'lexicons/com/example/draft/defs.json': '{}' })
    writeTree(root, { 'lexidex.config.mjs': config(['note', 'draft']) })
    await expect(run(root)).rejects.toThrow(/collections\/draft\.ts.*defs\.json/s)
    expect(existsSync(path.join(outDir, 'records/types/com/example/drift/draft.ts'))).toBe(false)
  })

  test('are told from emitted ones where the manifest is gone', async () => {
    const root = newProject()
    const { outDir } = await run(root)
    rmSync(path.join(outDir, '.lexidex-files'))
    appendFileSync(path.join(outDir, 'tables.ts'), '\n// edited\n')
    writeFileSync(path.join(outDir, 'model.json'), '{}\n')
    expect((await run(root)).drift).toEqual({
      ...{ stale: ['model.json', 'tables.ts'], missing: ['.lexidex-files'], extra: [] },
    })
    expect((await run(root)).drift).toEqual(NOTHING)
  })
})

test('a project copied elsewhere is not stale', async () => {
  const root = newProject()
  await run(root)
  const elsewhere = temporaryProject()
  cpSync(root, elsewhere, { recursive: true, filter: (file) => path.basename(file) !== 'node_modules' })
  expect((await run(elsewhere, false)).drift).toEqual(NOTHING)
})
