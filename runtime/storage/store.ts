import type { Kysely, RawBuilder, Selectable } from 'kysely'
import type { CollectionDef, RelationDef } from '../core/collection.ts'
import type { ApplyBatch, ColumnValue } from '../core/operation.ts'
import type { JobTable } from './bookkeeping.ts'

/** A value or a promise of it: SQLite answers at once, the others later. */
export type MaybePromise<T> = T | Promise<T>

/** One emitted migration: its file name without the ending, and its statements in order. */
export interface Migration {
  readonly name: string
  readonly statements: readonly string[]
}

/** Migrations by the name of the dialect they are written for. */
export type Migrations = Readonly<Record<string, readonly Migration[]>>

/** A statement that was prepared once and runs with many values. */
export interface PreparedQuery {
  /** All rows, as plain objects keyed by column. */
  all(values: readonly ColumnValue[]): MaybePromise<readonly Record<string, any>[]>
}

/** How many operations changed something. The rest were stale or duplicates. */
export interface ApplyResult {
  readonly puts: number
  readonly deletes: number
  readonly quarantined: number
}

/** What hydration of children needs to know of the child collection. */
export interface ChildQuery {
  readonly child: CollectionDef
  readonly relation: RelationDef
}

/** For databases that plan without statistics: there the runtime itself chooses what leads to the rows of a list. */
export interface ListPlanning {
  /** Rows from which on a list is walked in its order, testing them; fewer are taken from an index and put in order. */
  readonly few: number
  /** Most selects that one statement may be made of. */
  readonly selects: number
  /** A column that no index is to serve. */
  unindexed(column: RawBuilder<any>): RawBuilder<any>
}

/**
 * The SQL that only a dialect can write. Each returns text with one `?` per bound
 * value; the doc comment gives the values in order.
 */
export interface ReadDialect {
  /** How lists come to their rows. Absent where the database knows how many rows a condition leaves, and plans by that. */
  readonly planning?: ListPlanning
  /**
   * Whether a statement is on its way for longer than it takes: then one that finds out by itself what else would be asked
   * before is quicker, although it is more work. Default false.
   */
  readonly far?: boolean
  /**
   * A boolean condition: row of `table` matches the search. Binds: the compiled search text. It is asked row by row,
   * so it is for searches that very many rows match.
   */
  searchCondition(collection: CollectionDef): string
  /** A FROM item: all matches, as `lexidex_id`. Binds: the compiled search text. For searches that few rows match. */
  searchMatches(collection: CollectionDef): string
  /** Compiles a user's search (words, `prefix*`, `"phrase"`, `OR`, `-not`). Throws `XrpcError` 400 on bad input. */
  compileSearch(search: string): string
  /** Compiled search text of rows that hold any word of `search`, wanted or not: the rows that ranking has to count. */
  compileAnyWord(search: string): string
  /**
   * Whether very many rows match. Binds: the compiled search text. Row: `often`, 0 or 1. The work is bounded.
   */
  searchOften(collection: CollectionDef): string
  /**
   * A FROM item: the newest matches below an id, as many as one window holds. Binds: the compiled search text; the id.
   * Columns: `lexidex_id`.
   */
  searchWindow(collection: CollectionDef): string
  /**
   * A FROM item: the matches of a window whose end is known. Binds: the compiled search text; the id below which it
   * begins; the smallest id in it; a JSON array of ids that are left out. Columns: `lexidex_id`, and `lexidex_rank`,
   * smallest for the best match. Ranking counts every row that holds one of the words, so it is for words that are not in
   * very many.
   */
  searchRanked(collection: CollectionDef): string
  /**
   * Where a window ends. Binds: as `searchWindow`. Row: `bottom`, the smallest id in it; null where it holds all matches
   * that are left.
   */
  searchWindowEnd(collection: CollectionDef): string
  /**
   * The newest children of several parents, each group with its own limit, in one statement.
   * Binds: JSON array of parent keys (uris or dids); then the limit.
   * Rows: `parent`, and one column of spliced JSON entries (comma separated, without brackets,
   * null where there are none) per group: `children_<group>`, or `children` where ungrouped.
   */
  childrenOf(query: ChildQuery): string
  /**
   * The same children as columns of a select of their parents: SQL by the names of `childrenOf`. Binds of each: the limit.
   * There where the database is `far`.
   *
   * @param parent SQL of the parent's key
   */
  childColumns?(query: ChildQuery, parent: string): Readonly<Record<string, string>>
  /**
   * The same children, open for what is embedded in them. Binds and rows: as `childrenOf`; the children of a list are
   * separated by U+001E. Each is a JSON array of its `columns`, U+001F, and its JSON entry without the brace at the end.
   * Text of JSON holds neither of the two.
   */
  childParts(query: ChildQuery, columns: readonly string[]): string
  /**
   * Visible records by key; of an author with several, the newest. Binds: JSON array of uris (or dids).
   * Rows: `lexidex_key`, and `entry`, open as those of `childParts`; null where there is none.
   */
  recordsByKey(collection: CollectionDef, key: 'uri' | 'did', columns: readonly string[]): string
  /** Handles of accounts. Binds: JSON array of dids. Rows: `did` and `handle` of those that have one. */
  handlesOf(): string
}

/**
 * A bulk load: records of a history are written several times as fast, because counts, words and most indexes are left
 * out, and made anew as whole sets when it ends. Writes of all kinds and from all processes stay right meanwhile, and
 * count once it has ended. Reads show the rows that are there, their counts as they were before and nothing of them in
 * searches, and they are slow. Triggers and indexes of the user's own on the tables rest as well.
 *
 * A load that was cut short is ended by the next start, before anything is served, or by another process that goes on.
 */
export interface BulkLoad {
  /**
   * Begins one, where that pays: in an index of 10 000 records at most, in which none is going on. After `use`.
   *
   * @returns whether it has begun
   */
  begin(): MaybePromise<boolean>
  /** Ends the one that this store began; writes go on until the last part, the counting. Takes some 5 s a million records. */
  end(): MaybePromise<void>
  /** Whether one is going on, of this process or another. */
  active(): MaybePromise<boolean>
  /**
   * Ends one that was cut short with another process. One that is going on is left alone. Absent where no other process
   * writes: then the next start is soon enough.
   */
  recover?(): Promise<void>
}

/** A right that one process has at a time, and that ends with it. */
export interface Leadership {
  /** Aborts where it is lost: the database is gone, or does not answer any more. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

/** The history of one account in one collection that a process has claimed: a row of `lexidex_job`. */
export type ClaimedJob = Pick<
  Selectable<JobTable>,
  'did' | 'collection' | 'cursor' | 'rev' | 'records' | 'attempts' | 'due_at' | 'last_error'
>

/** What processes need that share the work on one database. */
export interface SharedWork {
  /**
   * Takes a right, where nobody has it. It is let go of when the process ends, however that comes about.
   *
   * @returns null where another has it
   */
  lead(name: string): Promise<Leadership | null>
  /**
   * Claims jobs that are due and that nobody has claimed, longest due first. No process waits for another over it, and
   * no two are given the same.
   *
   * @param limit jobs at most
   * @param now ms since 1970: due until then
   * @param until ms since 1970: when the claim ends by itself
   */
  claimJobs(limit: number, now: number, until: number): Promise<readonly ClaimedJob[]>
}

/** A number per table that was never there before, once something has been written to the table. */
export type Versions = ReadonlyMap<string, number>

/** A database that holds an index. One small contract; each dialect has a folder. */
export interface Store {
  /** Key into the emitted migrations. */
  readonly dialect: string
  /** For bookkeeping, the user's own queries and compiling. */
  readonly db: Kysely<any>
  readonly reads: ReadDialect
  /** Whether batches are applied while the caller does other things, so that the next may be given meanwhile. */
  readonly background: boolean
  /** Absent where a database has no quicker way to take many records. */
  readonly bulk?: BulkLoad
  /** Absent where one process is meant to have the database for itself. */
  readonly shared?: SharedWork
  /**
   * Applies what is not applied yet, safely when several processes start together.
   *
   * @returns names of the migrations that this call applied
   * @throws LexidexError where a migration fails, or the database is ahead of `migrations`
   */
  migrate(migrations: readonly Migration[]): MaybePromise<readonly string[]>
  /**
   * Names the collections that batches will hold, and prepares their statements. Called once,
   * after `migrate` and before `apply`.
   *
   * @throws LexidexError where the database lacks a table or column of theirs
   */
  use(collections: readonly CollectionDef[]): MaybePromise<void>
  /**
   * Copies tables whose number of partitions is not the one that their collections state. Reads go on meanwhile, writes
   * of all processes wait. Absent where a database has no partitions.
   *
   * @returns names of the tables that were copied
   * @throws LexidexError where one cannot be copied; it is as it was then, and those before it stay copied
   */
  repartition?(collections: readonly CollectionDef[]): Promise<readonly string[]>
  /**
   * One transaction: all of the batch, or an error and nothing of it.
   *
   * - Authors of puts to discovered collections become known accounts; each new one gets a pending job per
   *   dependent collection. Puts to dependent collections, and puts with a subject, need known accounts.
   * - A put is kept only where its rev is later than the row's and the tombstone's.
   * - A delete removes rows up to its rev and leaves a tombstone. A quarantine does that too and keeps the version.
   * - A check makes a known account due. What was found out of one hides, shows or removes all that it has; of an
   *   account that is deleted no put and no refused version is kept.
   *
   * Batches are applied in the order in which they are given.
   *
   * @param follows a batch that was given before and may not have settled yet: where that one fails, so does this one
   */
  apply(batch: ApplyBatch, follows?: ApplyBatch): MaybePromise<ApplyResult>
  /**
   * Whether an error of `apply` is about the database's condition (busy, full, unreachable), so that the same
   * batch may pass later. False: something in the batch cannot be stored.
   */
  isTransient(error: unknown): boolean
  /**
   * The version of every collection's table, and of `lexidex_account` as far as handles and hidden accounts go. What is
   * read after this answers is no older than it says. A table is missing while there is no telling, as in a bulk load.
   * Absent where a database has no cheap way to tell: then answers are not kept.
   */
  versions?(): MaybePromise<Versions>
  /** Prepares a reading statement; positional `?` parameters. */
  prepare(sql: string): PreparedQuery
  close(): MaybePromise<void>
}
