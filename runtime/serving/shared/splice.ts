import type { CollectionDef } from '../../core/collection.ts'

/** A row of a collection's table, as a list selects it. */
export type Row = Readonly<Record<string, any>>

/** How rows of a collection become JSON. */
export interface RowView {
  /** Columns that `toJson` and hydration read. */
  readonly columns: readonly string[]
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
  const base = ['uri', 'cid', 'did', 'rkey', 'sort_at', 'record']
  const beforeKey = `,"collection":${JSON.stringify(collection.nsid)},"rkey":"`
  return {
    columns: [...new Set([...base, ...counts.map(({ column }) => column), ...pointers])],
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
