/** Every record lexicon of the corpus, with all that can be asked of it: it generates, migrates and compiles. */
import { existsSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GenerateResult } from '../../generator/generate.ts'
import { UserProject } from '../compile/user-project.ts'
import { corpus, corpusProjects, generateAll, recordsOf } from './support/corpus.ts'
import { scratchDirectory } from './support/project.ts'

/** Records that cannot be generated, and the code of the issue that says why. */
const REFUSED: Readonly<Record<string, string>> = {}

const missing = !existsSync(corpus)
const scratch = scratchDirectory('lexidex-corpus-')
const projects = corpusProjects(scratch)

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test.skipIf(!missing)('the corpus is not beside this checkout, so it is not tested with', () => {})

describe.skipIf(missing)('the corpus', () => {
  const results = new Map<string, GenerateResult>()
  const refused: Record<string, string> = {}

  beforeAll(async () => {
    for (const project of projects) {
      const generated = await generateAll(project)
      results.set(project.name, generated.result)
      Object.assign(refused, generated.refused)
    }
  }, 120_000)

  test('is generated, but for what is known to be refused', () => {
    expect(refused).toEqual(REFUSED)
    const collections = [...results.values()].flatMap(({ model }) => model.collections.map(({ nsid }) => nsid))
    expect(collections.length).toBe(projects.flatMap(recordsOf).length - Object.keys(REFUSED).length)
    expect(collections.length).toBeGreaterThan(100)
  })

  test.each(projects.map(({ name }) => name))('%s migrates', (name) => {
    const { files } = results.get(name)!
    const database = new DatabaseSync(':memory:')
    database.exec(files.find((file) => file.path === 'migrations/sqlite/0001_init.sql')!.content)
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    database.close()
  })

  test('compiles strictly', () => {
    const project = new UserProject()
    try {
      for (const [name, { files }] of results) {
        for (const file of files) {
          // Second copies declare other paths for the same NSIDs, which no one project would have both.
          if (file.path === 'config.d.ts' && name.endsWith('-2')) continue
          project.write(`${name}/src/lexidex/${file.path}`, file.content)
        }
      }
      expect(project.check([...results.keys()], 'nodenext')).toEqual([])
    } finally {
      project.remove()
    }
  })
})
