/** The emitted migrations, as files and as data. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { transformSync } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { generate } from '../../generator/generate.ts'
import type { Migrations } from '../../runtime/storage/store.ts'
import { cases, Golden } from '../golden/cases.ts'
import { cacheDir, repository } from './support/project.ts'

const appsFolder = path.join(repository, 'fixtures/apps')
const apps = readdirSync(appsFolder).map((name) => ({ name, root: path.join(appsFolder, name) }))
const successful = cases.filter((golden) => new Golden(golden).files() !== null)

/** What `fill` leaves in an empty database: kind, name and text of everything. */
function schemaOf(fill: (database: DatabaseSync) => void): { type: string; name: string; sql: string | null }[] {
  const database = new DatabaseSync(':memory:')
  try {
    fill(database)
    return database.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all() as never
  } finally {
    database.close()
  }
}

async function evaluate(typescript: string): Promise<{ migrations: Migrations }> {
  const { code } = transformSync(typescript, { loader: 'ts', format: 'esm' })
  return await import(`data:text/javascript,${encodeURIComponent(code)}`)
}

describe.each([...apps, ...successful])('$name', ({ root }) => {
  test('the file and the data make the same database, with names that other databases keep whole', async () => {
    const { files } = await generate({ root, write: false, cacheDir })
    const content = (file: string) => files.find(({ path }) => path === file)!.content
    const { migrations } = await evaluate(content('migrations/index.ts'))
    expect(migrations.sqlite?.map(({ name }) => name)).toEqual(['0001_init'])

    const schema = schemaOf((database) => database.exec(content('migrations/sqlite/0001_init.sql')))
    expect(
      schemaOf((database) => {
        for (const statement of migrations.sqlite![0]!.statements) database.prepare(statement).run()
      }),
    ).toEqual(schema)
    // The tables that FTS5 makes for itself have quoted names.
    const ours = schema.filter(({ name, sql }) => !name.startsWith('sqlite_') && !sql?.startsWith("CREATE TABLE '"))
    expect(ours.map(({ name }) => name).filter((name) => name.length > 63)).toEqual([])
  })
})
