/**
 * Storage decisions as plain data: which tables, columns, indexes, searches and counters there are.
 * No SQL text; every dialect writes its own from this.
 */
export interface SchemaPlan {
  /** Sorted by name. */
  readonly tables: readonly TablePlan[]
  readonly counters: readonly CounterPlan[]
  /** Whether records are counted by account and table, so that accounts can be ranked. */
  readonly authors?: boolean
}

export type ColumnType = 'text' | 'integer' | 'boolean' | 'datetime'

export interface TablePlan {
  readonly name: string
  /** NSID of the records it holds. */
  readonly nsid: string
  /** Promoted fields; the base columns and the record are the same in every table. */
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[]
  /** Integer columns that start at 0 and that only triggers write. */
  readonly counts: readonly string[]
  readonly indexes: readonly IndexPlan[]
  /** Tables with a row for each value of a list, kept by triggers. */
  readonly lists: readonly ListPlan[]
  readonly search: SearchPlan | null
  /** Into how many parts it is cut by author, on databases that can; absent where it is not. */
  readonly partitions?: number
}

export interface IndexPlan {
  readonly name: string
  readonly columns: readonly string[]
  /** What reads it, for the reader of the migration: `?mode=`, `sort=startsAt`. */
  readonly serves: readonly string[]
}

/** The values of a list, ordered like the rows that hold them: an index that has a row in it once for each value. */
export interface ListPlan {
  readonly table: string
  /** Column that holds the list as JSON. */
  readonly column: string
  readonly serves: readonly string[]
}

export interface SearchPlan {
  readonly table: string
  /** Search columns, and the property names that lead to each in the record. */
  readonly columns: readonly { readonly name: string; readonly segments: readonly string[] }[]
}

/** Counts on a parent's table, kept by triggers on both tables. */
export interface CounterPlan {
  /** In front of the names of its triggers. */
  readonly name: string
  readonly relation: string
  readonly parent: string
  readonly child: string
  /** The child's column that points at the parent. */
  readonly column: string
  /** What it is compared with on the parent. */
  readonly match: 'uri' | 'did'
  /** The child's column that groups, where counts are grouped. */
  readonly groupColumn: string | null
  /** The child's column whose distinct values count, instead of rows. */
  readonly distinct: string | null
  readonly counts: readonly { readonly column: string; readonly group: string | null }[]
}
