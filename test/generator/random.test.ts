/** Projects that nobody would write: either they are refused with reasons, or what is emitted migrates and compiles. */
import { rmSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EmittedFile, GenerateError, generate } from '../../generator/generate.ts'
import { UserProject } from '../compile/user-project.ts'
import { cacheDir, scratchDirectory, writeTree } from './support/project.ts'
import { randomProjects } from './support/random.ts'

// Always the same ones: a compiler run takes too long for new ones every time, and lex-cli's work is kept.
const PROJECTS = Number(process.env.RANDOM_PROJECTS ?? 40)
const SEED = Number(process.env.RANDOM_SEED ?? 1)

const scratch = scratchDirectory('lexidex-random-')
const generated = new Map<string, readonly EmittedFile[]>()
const refused: GenerateError[] = []

beforeAll(async () => {
  for (let i = 0; i < PROJECTS; i++) {
    const name = `random${i}`
    const [project] = fc.sample(randomProjects(name), { numRuns: 1, seed: SEED * 1000 + i })
    const { docs, config } = project!
    const root = path.join(scratch, name)
    writeTree(root, { 'lexidex.config.mjs': `export default ${JSON.stringify(config, null, 2)}\n` })
    for (const doc of docs) writeTree(root, { [`lexicons/${doc.id}.json`]: JSON.stringify(doc, null, 2) })
    try {
      generated.set(name, (await generate({ root, write: false, cacheDir })).files)
    } catch (error) {
      if (!(error instanceof GenerateError)) throw new Error(JSON.stringify(project), { cause: error })
      refused.push(error)
    }
  }
})

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('most projects are generated, some are refused', () => {
  expect(generated.size).toBeGreaterThan(PROJECTS / 2)
  expect(refused.length).toBeGreaterThan(0)
})

test('what is refused is so with reasons and hints', () => {
  for (const { issues } of refused) {
    const errors = issues.filter(({ severity }) => severity === 'error')
    expect(errors.length).toBeGreaterThan(0)
    for (const { hint, message } of errors) expect(hint, message).toBeDefined()
  }
})

test('what is generated migrates', () => {
  for (const [name, files] of generated) {
    const database = new DatabaseSync(':memory:')
    const { content } = files.find((file) => file.path === 'migrations/sqlite/0001_init.sql')!
    expect(() => database.exec(content), name).not.toThrow()
    database.close()
  }
})

test('what is generated compiles', () => {
  const project = new UserProject()
  try {
    for (const [name, files] of generated) {
      for (const file of files) project.write(`${name}/src/lexidex/${file.path}`, file.content)
    }
    expect(project.check([...generated.keys()], 'nodenext', { noUnusedLocals: true })).toEqual([])
  } finally {
    project.remove()
  }
})
