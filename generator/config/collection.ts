import type { CustomQuery, ListQuery } from '../../runtime/core/custom-query.ts'
import type { LexiconPaths } from '../index.ts'

type Use = 'queryable' | 'range' | 'searchable' | 'field'

/** Paths of one lexicon that fit one use; any string where the lexicon is not declared. */
type PathOf<Nsid, U extends Use> = Nsid extends keyof LexiconPaths
  ? LexiconPaths[Nsid] extends Record<U, infer Path extends string>
    ? Path
    : string
  : string

/** An NSID; those of declared lexicons are completed. */
export type AnyNsid = keyof LexiconPaths | (string & {})

/** NSID of each collection, by its short name. */
export type Nsids = Readonly<Record<string, AnyNsid>>

/**
 * How lists are filtered by a field. `{}` gives what makes sense for its kind:
 *
 * | kind | `{}` | `{ type: 'range' }` |
 * |---|---|---|
 * | text without known values | `equal`, `not`, `prefix`, `exists` | `range`, `exists` |
 * | other strings, the `$type` of a union | `equal`, `not`, `exists` | `range`, `exists` |
 * | integer | `equal`, `not`, `exists` | `range`, `exists` |
 * | datetime | `equal`, `exists` | `range`, `exists` |
 * | boolean | `equal`, `exists` | |
 * | CID link | `equal`, `not`, `exists` | |
 * | array of strings | `equal` (any value), `not` | |
 *
 * `exists` comes only with fields that a record may be without.
 */
export interface QueryableField {
  /** `?fieldMin=` and `?fieldMax=`, and `?sort=field`, in place of `?field=`. */
  readonly type?: 'range'
  /**
   * Exactly these, in place of what the kind gives: `equal` is `?field=a&field=b`, `not` is `?fieldNot=`, `prefix` is
   * `?fieldPrefix=`, `range` is `?fieldMin=`, `?fieldMax=` and `?sort=field`, `exists` is `?fieldExists=true`.
   */
  readonly filters?: readonly FieldFilter[]
  /** `false`: no index, for cheaper writes. Then only filters that need none are possible: `not`. Default: true. */
  readonly index?: boolean
}

/** One way to filter by a field. */
export type FieldFilter = 'equal' | 'not' | 'prefix' | 'range' | 'exists'

type Queryable<Nsid> = {
  readonly [Path in PathOf<Nsid, 'queryable'>]?: Path extends PathOf<Nsid, 'range'>
    ? QueryableField
    : Omit<QueryableField, 'type'> & { readonly type?: never }
}

/** Records of a collection that point at this one. */
interface RelationConfig<ChildName, ChildNsid> {
  /** Short name of the child collection. */
  readonly collection: ChildName
  /** Field of the child that points here. Default: `subject.uri`. */
  readonly field?: PathOf<ChildNsid, 'field'>
  /** What the field holds: the URI of a record here, or the DID of its author. Default: `uri`. */
  readonly match?: 'uri' | 'did'
  /** Field of the child by which children are counted and hydrated in groups. */
  readonly groupBy?: PathOf<ChildNsid, 'field'>
  /** Short name of each group, and the value of `groupBy` that belongs to it. Default: the lexicon's known values. */
  readonly groups?: Readonly<Record<string, string>>
  /** Whether counts are kept. Default: true. */
  readonly count?: boolean
  /** Counts different values of this field of the child (or `did`, its author) instead of records. */
  readonly countDistinct?: PathOf<ChildNsid, 'field'> | 'did'
}

type Relation<N extends Nsids> = { [Short in keyof N]: RelationConfig<Short, N[Short]> }[keyof N]

/** A record that this one points at. */
interface ReferenceConfig<Nsid, N extends Nsids> {
  /** Short name of the collection pointed at. */
  readonly collection: (keyof N & string) | (string & {})
  /** Field of this collection with the URI of a record, or the DID of its author. */
  readonly field: PathOf<Nsid, 'field'>
}

/** One collection to index. */
export interface CollectionConfig<Nsid extends AnyNsid = string, N extends Nsids = Nsids> {
  /** NSID of the record type. */
  readonly collection: Nsid
  /** Fields to filter and sort by; `subject.uri` reaches into objects. */
  readonly queryable?: Queryable<Nsid>
  /** Fields whose words `?search=` looks for. */
  readonly searchable?: readonly PathOf<Nsid, 'searchable'>[] | false
  /** Child collections, to count and to hydrate, by name of the relation. */
  readonly relations?: Readonly<Record<string, Relation<N>>>
  /** Records that this one points at, to hydrate, by name of the reference. */
  readonly references?: Readonly<Record<string, ReferenceConfig<Nsid, N>>>
  /** Methods to serve. Default: both. */
  readonly methods?: readonly ('listRecords' | 'getRecord')[]
  /** The record's own time, by which lists are ordered; `false`: when it was indexed. Default: `createdAt`. */
  readonly timeField?: PathOf<Nsid, 'field'> | false
  /** Field with a DID or at-uri: records about accounts that are not known are dropped. */
  readonly subjectField?: PathOf<Nsid, 'field'>
  /** Whether a new or changed record is kept. Deletes always pass. */
  readonly recordFilter?: (record: any) => boolean
  /**
   * Whether accounts are looked for by this collection. `false`: only records of accounts that are known
   * through another collection are kept. Default: true, but false for `app.bsky.*`.
   */
  readonly discover?: boolean
  /**
   * Records that break their lexicon: `strict` and `lenient` quarantine them, `lenient` lets harmless
   * differences pass; `off` takes everything. Default: `lenient`.
   */
  readonly validate?: 'strict' | 'lenient' | 'off'
  /**
   * On Postgres, how many tables hold the records, each those of its share of the accounts: 2 to 128, for collections of
   * many millions. SQLite and D1 have one table whatever it says. Default: one table.
   */
  readonly partitions?: number
  /** Queries of your own, by the last part of their names: `{namespace}.{collection}.{name}`. See `defineQuery`. */
  readonly queries?: Readonly<Record<string, CustomQuery | CustomQuery['handler']>>
  /** Lists of your own, in which `listRecords` is narrowed, by the last part of their names. See `defineListQuery`. */
  readonly pipelineQueries?: Readonly<Record<string, ListQuery | ListQuery['handler']>>
  /** Accepted, without effect. */
  readonly allowInSpaces?: boolean
}
