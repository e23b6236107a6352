import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { generate, SqliteDialect as SqliteCodegen } from 'kysely-codegen'
import { ts } from 'ts-morph'
import { partitionName } from '../../../generator/model/names.ts'
import type { CollectionModel, Model } from '../../../generator/model/types.ts'
import { SqliteDialect } from '../../../runtime/storage/sqlite/kysely.ts'
import { InlineWriter } from '../../../runtime/storage/sqlite/writer.ts'

/** TypeScript that kysely-codegen writes for a database that a migration made, as it sees it. */
export async function introspect(migration: string, model: Model): Promise<string> {
  const database = new DatabaseSync(':memory:')
  try {
    database.exec(migration)
    const db = new Kysely<unknown>({ dialect: new SqliteDialect(database, new InlineWriter(database)) })
    return await generate({
      db,
      dialect: new SqliteCodegen(),
      outFile: null,
      postprocess: async ({ metadata }) => {
        metadata.tables = metadata.tables.filter(({ name }) => whyNotCompared(name, model) === undefined)
        // A row id is never null, which SQLite's catalogue does not say.
        for (const { columns } of metadata.tables) {
          for (const column of columns) if (column.name === 'id') column.isNullable = false
        }
        return metadata
      },
    })
  } finally {
    database.close()
  }
}

export function whyNotCompared(table: string, model: Model): string | undefined {
  const searches = model.collections.flatMap(({ search }) => (search === null ? [] : [search.table]))
  if (searches.some((search) => table === search || table.startsWith(`${search}_`))) {
    return 'full text: the runtime names these tables in SQL only, and FTS5 keeps tables of its own beside them'
  }
  const isPart = ({ table: whole, partitions = 0 }: CollectionModel) =>
    Array.from({ length: partitions }, (_, part) => partitionName(whole, part)).includes(table)
  return model.collections.some(isPart) ? 'part of a table, which stands for all of them' : undefined
}

/** Type of each column, by table. */
export type Tables = Record<string, Record<string, string>>

/** What the interface `database` of `source` states, through what it names and extends there or in `imported`. */
export function readTables(database: string, source: string, imported = ''): Tables {
  const files = [source, imported].map((text) => interfacesOf(text))
  const members = (name: string, at: number): [string, { type: string; at: number }][] => {
    const found = files.findIndex((file, i) => i >= at && file.has(name))
    if (found === -1) throw new Error(`There is no interface ${name}.`)
    const { heritageClauses = [], members: own } = files[found]!.get(name)!
    return [
      ...heritageClauses.flatMap(({ types }) => types.flatMap((type) => members(type.getText(), found))),
      ...own
        .filter(ts.isPropertySignature)
        .map((property) => [propertyName(property.name), { type: property.type!.getText(), at: found }] as const),
    ].map(([key, value]) => [key, value])
  }
  const columns = (table: string, at: number) =>
    Object.fromEntries(members(table, at).map(([column, { type }]) => [column, type]))
  return Object.fromEntries(members(database, 0).map(([table, { type, at }]) => [table, columns(type, at)]))
}

function interfacesOf(text: string): Map<string, ts.InterfaceDeclaration> {
  const { statements } = ts.createSourceFile('tables.ts', text, ts.ScriptTarget.ES2023, true)
  return new Map(statements.filter(ts.isInterfaceDeclaration).map((statement) => [statement.name.text, statement]))
}

function propertyName(name: ts.PropertyName): string {
  return ts.isStringLiteral(name) ? name.text : name.getText()
}
