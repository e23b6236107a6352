/**
 * Invariant 9: regeneration is a no-op on unchanged input. What is emitted follows from lexicons and config alone: not from
 * where they lie, the order in which they are found, the time, the language of the machine, or what was emitted before.
 */
import { execFile } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRandom } from '../../fixtures/network/random.ts'
import { type EmittedFile, GenerateError, generate } from '../../generator/generate.ts'
import { cacheDir, repository, temporaryDirectory, temporaryProject, writeTree } from '../generator/support/project.ts'
import { randomProjects } from '../generator/support/random.ts'
import { shuffled } from './support/disorder.ts'
import { cases, patience } from './support/settings.ts'

const NOTHING = { stale: [], missing: [], extra: [] }
const appsFolder = path.join(repository, 'fixtures/apps')
const apps = readdirSync(appsFolder)

function readTree(directory: string): Map<string, { content: string; modified: bigint }> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    files.map((entry) => {
      const file = path.join(entry.parentPath, entry.name)
      const { mtimeNs: modified } = statSync(file, { bigint: true })
      return [path.relative(directory, file), { content: readFileSync(file, 'utf8'), modified }]
    }),
  )
}

const contents = (files: readonly EmittedFile[]) =>
  Object.fromEntries(files.map(({ path, content }) => [path, content]))

/** The config of an app by itself, without what was emitted for it. */
function bareCopy(app: string): string {
  const root = temporaryProject()
  const source = path.join(appsFolder, app)
  for (const name of readdirSync(source)) {
    if (name === 'src' || name === 'node_modules') continue
    cpSync(path.join(source, name), path.join(root, name), { recursive: true })
  }
  return root
}

/** A project whose lexicons lie in order, or else anywhere. */
function projectOf({ docs, config }: RandomProject, seed: number | null): string {
  const root = temporaryProject({ 'lexidex.config.mjs': `export default ${JSON.stringify(config)}` })
  const random = createRandom(seed ?? 0)
  for (const doc of seed === null ? docs : shuffled(docs, random)) {
    const where = seed === null ? doc.id : `${random.chance(0.5) ? 'more/' : ''}${random.int(1e9)}`
    writeTree(root, { [`lexicons/${where}.json`]: JSON.stringify(doc, null, seed === null ? 0 : 3) })
  }
  return root
}

type RandomProject = ReturnType<typeof randomProjects> extends fc.Arbitrary<infer P> ? P : never

test.each(apps)('%s: from nothing, anywhere, comes what is committed, and after that nothing', async (app) => {
  const committed = contents((await generate({ root: path.join(appsFolder, app), write: false, cacheDir })).files)
  const root = bareCopy(app)
  const first = await generate({ root, cacheDir })
  expect(contents(first.files)).toEqual(committed)

  const before = readTree(first.outDir)
  const second = await generate({ root, cacheDir })
  expect(second.drift).toEqual(NOTHING)
  // Not even the same text once more: builds look at times.
  expect(readTree(first.outDir)).toEqual(before)
})

test('neither the machine nor what it remembers matters', async () => {
  const app = 'statusphere'
  const root = bareCopy(app)
  const script = `
    import { generate } from ${JSON.stringify(pathToFileURL(path.join(repository, 'generator/generate.ts')).href)}
    const { files } = await generate({ root: ${JSON.stringify(root)}, write: false, cacheDir: ${JSON.stringify(temporaryDirectory())} })
    console.log(JSON.stringify(files))`
  const env = { ...process.env, TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', COLUMNS: '20' }
  const flags = ['-C', 'lexidex-source', '--import', 'tsx', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env, cwd: repository, maxBuffer: 1e8 })
  const here = await generate({ root: path.join(appsFolder, app), write: false, cacheDir })
  expect(contents(JSON.parse(stdout))).toEqual(contents(here.files))
})

test(
  'whatever the project, and however its lexicons lie there',
  async () => {
    let generated = 0
    await fc.assert(
      fc.asyncProperty(fc.nat(39), fc.nat(), async (project, seed) => {
        // Of the projects that other tests have: what is slow is known of these already.
        const [sample] = fc.sample(randomProjects(`random${project}`), { numRuns: 1, seed: 1000 + project })
        const [ordered, scattered] = [projectOf(sample!, null), projectOf(sample!, seed)]
        try {
          const one = await generate({ root: ordered, cacheDir })
          const two = await generate({ root: scattered, cacheDir })
          expect(contents(two.files)).toEqual(contents(one.files))
          expect((await generate({ root: ordered, write: false, cacheDir })).drift).toEqual(NOTHING)
          generated++
        } catch (error) {
          if (!(error instanceof GenerateError)) throw error
          // Refused is refused, wherever it lies.
          await expect(generate({ root: scattered, cacheDir })).rejects.toThrow(GenerateError)
        } finally {
          for (const root of [ordered, scattered]) rmSync(root, { recursive: true, force: true })
        }
      }),
      cases(8),
    )
    expect(generated).toBeGreaterThan(0)
  },
  patience(60_000),
)
