/**
 * The description of one indexed collection, as emitted code states it. Storage,
 * admission and serving all read it; none of them changes it.
 */

/** How a column's value is taken from a record and compared. */
export type ColumnKind = 'text' | 'integer' | 'boolean' | 'datetime' | 'list'

export interface ColumnDef<R> {
  readonly kind: ColumnKind
  /** Takes the raw value out of the record. Anything of the wrong type is stored as null. */
  readonly read: (record: R) => unknown
  /** Of a list: the table with a row for each of its values. */
  readonly valuesTable?: string
}

/** How strictly records are held to their lexicon. See the README, "Validation". */
export type ValidationMode = 'strict' | 'lenient' | 'off'

export interface RelationDef {
  /** Short name of the child collection. */
  readonly collection: string
  /** The child's column that points here. */
  readonly column: string
  /** What it is compared with here: the record's `uri`, or its author's `did`. */
  readonly match: 'uri' | 'did'
  /** Where children are grouped: the child's column and the value of each group. */
  readonly groups?: { readonly column: string; readonly values: Readonly<Record<string, string>> }
}

export interface ReferenceDef {
  /** Short name of the collection pointed at. */
  readonly collection: string
  /** This collection's column that holds the pointer. */
  readonly column: string
  /** What the pointer is: the `uri` of a record, or the `did` of its author. */
  readonly match: 'uri' | 'did'
}

export interface CollectionDef<R = any> {
  /** Short name, as in the config and in method names. */
  readonly name: string
  readonly nsid: string
  readonly table: string
  /** Full-text search table, where the collection is searchable. */
  readonly searchTable?: string
  /** The record's own creation time (ISO 8601), where it states one. */
  readonly time?: (record: R) => unknown
  /** Promoted columns, in table order. */
  readonly columns: Readonly<Record<string, ColumnDef<R>>>
  /** Output name of each count, and its column. */
  readonly counts: Readonly<Record<string, string>>
  readonly relations: Readonly<Record<string, RelationDef>>
  readonly references: Readonly<Record<string, ReferenceDef>>
  readonly validate: ValidationMode
  /**
   * `false`: the collection is dependent. Records are kept only of accounts that are
   * known through another collection.
   */
  readonly discover: boolean
  /** On Postgres, how many tables hold the records, by author. Absent: one. */
  readonly partitions?: number
  /** Column with a DID or at-uri: records about accounts that are not known are dropped. */
  readonly subjectColumn?: string
  /** Takes or drops a new record (deletes always pass). From the user's own config. */
  readonly recordFilter?: ((record: R) => boolean) | undefined
}

/** Where accounts keep a profile. */
export interface ProfileDef {
  readonly collection: CollectionDef
  /** Key of the record. */
  readonly rkey: string
}

/**
 * States a collection; types the record that its columns read from.
 *
 * @example
 * const event = defineCollection<EventRecord>()({ name: 'event', nsid: '…', columns: { … } })
 */
export function defineCollection<R>() {
  return <const D extends CollectionDef<R>>(def: D): D => def
}

/** A string column: equality, `in`, sorting by code point. */
export function text<R>(read: (record: R) => unknown): ColumnDef<R> {
  return { kind: 'text', read }
}

/** An integer column. */
export function integer<R>(read: (record: R) => unknown): ColumnDef<R> {
  return { kind: 'integer', read }
}

/** A boolean column, stored as 0 or 1 on every database. */
export function boolean<R>(read: (record: R) => unknown): ColumnDef<R> {
  return { kind: 'boolean', read }
}

/** A point in time, read from ISO 8601 text and stored as µs since 1970. */
export function datetime<R>(read: (record: R) => unknown): ColumnDef<R> {
  return { kind: 'datetime', read }
}

/** A CID link (`{"$link": "…"}`), stored as its text. */
export function cid<R>(read: (record: R) => unknown): ColumnDef<R> {
  return { kind: 'text', read: (record) => (read(record) as { $link?: unknown } | null | undefined)?.$link }
}

/**
 * Several strings, stored as a JSON array: the first 256, each once. Their values are in a table of their own as well,
 * which triggers keep, so that lists of the records that hold one are as quick as those of a column.
 */
export function strings<R>(valuesTable: string, read: (record: R) => unknown): ColumnDef<R> {
  return { kind: 'list', valuesTable, read }
}
