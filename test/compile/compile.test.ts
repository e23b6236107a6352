/** What is emitted compiles in a user's project: every app of the fixtures, and what every golden case gives. */
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generate } from '../../generator/generate.ts'
import { findConfig } from '../../generator/input/load.ts'
import { cacheDir, repository } from '../generator/support/project.ts'
import { cases, Golden } from '../golden/cases.ts'
import { RESOLUTIONS, type Resolution, UserProject } from './user-project.ts'

const apps = path.join(repository, 'fixtures/apps')

let project: UserProject

beforeAll(async () => {
  project = new UserProject()
  for (const app of readdirSync(apps)) {
    cpSync(path.join(apps, app), path.join(project.root, 'apps', app), {
      recursive: true,
      filter: (file) => path.basename(file) !== 'node_modules',
    })
  }
  for (const golden of cases.filter((golden) => new Golden(golden).files() !== null)) {
    // Not what is expected, which may be a part only; that both agree is for the golden test.
    const { files, outDir } = await generate({ root: golden.root, write: false, cacheDir })
    const inProject = (file: string) => path.join('cases', golden.name, path.relative(golden.root, file))
    for (const file of files) project.write(inProject(path.join(outDir, file.path)), file.content)
    for (const file of ownSources(golden.root)) project.write(inProject(file), readFileSync(file, 'utf8'))
  }
})

afterAll(() => project?.remove())

/** The config, and modules beside it. */
function ownSources(root: string): string[] {
  const directory = path.dirname(findConfig(root))
  return readdirSync(directory)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(directory, name))
}

const everything = ['apps', 'cases']

describe.each(Object.keys(RESOLUTIONS) as Resolution[])('moduleResolution %s', (resolution) => {
  test('compiles strictly', () => {
    // The config of one case imports a module of the user's by its TypeScript name.
    expect(project.check(everything, resolution, { allowImportingTsExtensions: true })).toEqual([])
  })
})

test('compiles where more is forbidden than `strict` forbids', () => {
  const options = {
    noUnusedLocals: true,
    noUnusedParameters: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    noImplicitReturns: true,
    noImplicitOverride: true,
    isolatedModules: true,
    erasableSyntaxOnly: true,
    allowImportingTsExtensions: true,
  }
  expect(project.check(everything, 'nodenext', options)).toEqual([])
})

test('finds mistakes', () => {
  project.write(
    'mistakes/index.ts',
    `import { createClient } from '../apps/calendar/src/lexidex/client.js'
     void createClient('https://example.com').event.listRecords({ mode: 1 })`,
  )
  expect(project.check(['mistakes'], 'nodenext')).toEqual([expect.stringContaining('mistakes/index.ts(2,')])
})
