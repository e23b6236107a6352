/** The emitted `Database` interface is what another tool reads from the emitted migration. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GenerateResult, generate } from '../../generator/generate.ts'
import { UserProject } from '../compile/user-project.ts'
import { cases, Golden } from '../golden/cases.ts'
import { introspect, readTables } from './support/introspect.ts'
import { cacheDir, repository } from './support/project.ts'

const appsFolder = path.join(repository, 'fixtures/apps')
const apps = readdirSync(appsFolder).map((name) => ({ name, root: path.join(appsFolder, name) }))
const successful = cases.filter((golden) => new Golden(golden).files() !== null)
const bookkeeping = readFileSync(path.join(repository, 'runtime/storage/bookkeeping.ts'), 'utf8')

const contentOf = ({ files }: GenerateResult, file: string) => files.find(({ path }) => path === file)!.content

/** Cases that kysely-codegen itself cannot read, and why. */
const UNREADABLE: Readonly<Record<string, string>> = {
  'names-short': 'it takes the tables `text` and `string` for its scalars, and `constructor` for no table at all',
}

describe.each([...apps, ...successful])('$name', ({ name, root }) => {
  test('has the tables and columns that it states', async ({ skip }) => {
    if (name in UNREADABLE) skip(UNREADABLE[name])
    const generated = await generate({ root, write: false, cacheDir })
    const seen = await introspect(contentOf(generated, 'migrations/sqlite/0001_init.sql'), generated.model)
    const stated = readTables('Database', contentOf(generated, 'tables.ts'), bookkeeping)
    expect(stated).toEqual(readTables('DB', seen))
  })
})

describe('rows have the types that are stated', () => {
  let project: UserProject

  beforeAll(async () => {
    project = new UserProject()
    for (const { name, root } of apps) {
      const generated = await generate({ root, write: false, cacheDir })
      const seen = await introspect(contentOf(generated, 'migrations/sqlite/0001_init.sql'), generated.model)
      project.write(`${name}/tables.ts`, contentOf(generated, 'tables.ts'))
      project.write(`${name}/introspected.ts`, seen)
      project.write(`${name}/equal.ts`, equalities(Object.keys(readTables('DB', seen))))
    }
  })

  afterAll(() => project?.remove())

  test('for selecting, inserting and updating', () => {
    expect(
      project.check(
        apps.map(({ name }) => name),
        'nodenext',
      ),
    ).toEqual([])
  })

  test('and a difference is found', () => {
    project.write('different/tables.ts', 'export interface Database { event: { id: number } }')
    project.write('different/introspected.ts', 'export interface DB { event: { id: number | null } }')
    project.write('different/equal.ts', equalities(['event']))
    expect(project.check(['different'], 'nodenext')).toHaveLength(3)
  })
})

function equalities(tables: readonly string[]): string {
  const lines = tables.flatMap((table) =>
    ['Selectable', 'Insertable', 'Updateable'].map((view) => {
      const key = JSON.stringify(table)
      return `  Expect<Equal<${view}<Stated[${key}]>, ${view}<Seen[${key}]>>>,`
    }),
  )
  return `
import type { Insertable, Selectable, Updateable } from 'kysely'
import type { DB as Seen } from './introspected.js'
import type { Database as Stated } from './tables.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Expect<T extends true> = T

export type Checks = [
  Expect<Equal<keyof Stated, keyof Seen>>,
${lines.join('\n')}
]
`
}
