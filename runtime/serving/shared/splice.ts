import type { CollectionDef } from '../../core/collection.ts'

/** A row of a collection's table, as a list selects it. */
export type Row = Readonly<Record<string, any>>

/** How rows of a collection become JSON. */
export interface RowView {
  /** Columns that `toJson` reads, and all that children are found by. */
  readonly columns: readonly string[]
  /** The same, and those that point at other records. */
  readonly hydrated: readonly string[]
  /**
   * The record and what surrounds it. Its stored text goes in as it is; URIs, CIDs and keys were admitted with
   * characters only that JSON does not escape.
   *
   * @param extra JSON properties to add, each with a comma in front
   */
  toJson(row: Row, extra: string): string
}

export function rowView(collection: CollectionDef): RowView {
  const counts = Object.entries(collection.counts).map(([name, column]) => ({
    column,
    property: `,${JSON.stringify(name)}:`,
  }))
  const pointers = Object.values(collection.references).map((reference) => reference.column)
  const columns = ['uri', 'cid', 'did', 'rkey', 'sort_at', 'record', ...counts.map(({ column }) => column)]
  const beforeKey = `,"collection":${JSON.stringify(collection.nsid)},"rkey":"`
  return {
    columns,
    hydrated: [...new Set([...columns, ...pointers])],
    toJson(row, extra) {
      let json = `{"uri":"${row.uri}","cid":"${row.cid}","value":${row.record},"did":"${row.did}"${beforeKey}${row.rkey}","time_us":${row.sort_at}`
      for (const { column, property } of counts) {
        const count = row[column]
        if (count > 0) json += property + count
      }
      return `${json}${extra}}`
    },
  }
}

/** What is embedded in the rows of a page and asked for together with them. */
export interface EmbeddedColumn {
  readonly name: string
  /** A value for a row of `lexidex_page`. Binds: the limit. */
  readonly sql: string
  readonly limit: number
}

/** The page's rows, as the SQL of what is embedded names them. */
export const PAGE = 'lexidex_page'
