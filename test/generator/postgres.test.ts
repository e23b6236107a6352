/** The migrations for Postgres of every app and case, and of the corpus, on a real server. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generate } from '../../generator/generate.ts'
import { cases, Golden } from '../golden/cases.ts'
import { corpus, corpusProjects, generateAll } from './support/corpus.ts'
import { readTables } from './support/introspect.ts'
import { openWitness, type PostgresWitness } from './support/postgres.ts'
import { cacheDir, repository, scratchDirectory } from './support/project.ts'

const appsFolder = path.join(repository, 'fixtures/apps')
const apps = readdirSync(appsFolder).map((name) => ({ name, root: path.join(appsFolder, name) }))
const successful = cases.filter((golden) => new Golden(golden).files() !== null)
const bookkeeping = readFileSync(path.join(repository, 'runtime/storage/bookkeeping.ts'), 'utf8')

/** Cases that kysely-codegen itself cannot read, and why. */
const UNREADABLE: Readonly<Record<string, string>> = {
  'names-short': 'it takes the tables `text` and `string` for its scalars, and `constructor` for no table at all',
}

let witness: PostgresWitness
beforeAll(async () => {
  witness = await openWitness()
})
afterAll(() => witness?.close())

test.each([...apps, ...successful])('$name has the tables and columns that it states', async ({ name, root }) => {
  const { files, model } = await generate({ root, write: false, cacheDir })
  await witness.migrate(model)
  await witness.exercise(model)
  if (name in UNREADABLE) return
  const stated = readTables('Database', files.find((file) => file.path === 'tables.ts')!.content, bookkeeping)
  expect(readTables('DB', await witness.introspect(model))).toEqual(stated)
})

describe.skipIf(!existsSync(corpus))('the corpus', () => {
  const scratch = scratchDirectory('lexidex-postgres-corpus-')
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  test.each(corpusProjects(scratch))('$name migrates, and every trigger runs', async (project) => {
    const { model } = (await generateAll(project)).result
    await witness.migrate(model)
    await witness.exercise(model)
  })
})
