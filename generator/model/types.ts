/**
 * The meaning of a project: lexicons and config understood together. Plain readonly data
 * that knows no SQL and no TypeScript; `lexidex generate --print-model` prints it, and
 * `model.json` keeps it for the next migration.
 */
export interface Model {
  readonly namespace: string
  /** Sorted by short name. */
  readonly collections: readonly CollectionModel[]
  /** Kinds of profiles that accounts have, in the order of the config; absent where there are none. */
  readonly profiles?: readonly ProfileModel[]
  readonly jetstreams: readonly string[]
  readonly relays: readonly string[]
  readonly plc: string
  readonly allowHosts: readonly string[]
  /** DIDs whose records come first; absent where there are none. */
  readonly repos?: readonly string[]
  /** Whether the config holds a logger. */
  readonly logger: boolean
  /** Whether there is a method `notifyOfUpdate`. */
  readonly notify: boolean
  /** Present where collections are served by REST as well. */
  readonly rest?: true
  /** What a client may ask an account for at once; absent where the config has none. */
  readonly permissionSet?: PermissionSetModel
}

export interface PermissionSetModel {
  /** What users read when they are asked. */
  readonly title: string
  readonly detail: string
  /** Collections that the set may write to: those in the namespace. */
  readonly collections: readonly string[]
  /** Permissions that the config adds, as they are. */
  readonly additional: readonly PermissionModel[]
}

/** A permission, as lexicons state it. */
export type PermissionModel = Readonly<Record<string, unknown>>

/** Where accounts keep a profile. */
export interface ProfileModel {
  /** Short name of the collection. */
  readonly collection: string
  /** Key of the record. */
  readonly rkey: string
}

export interface CollectionModel {
  /** Short name, the key in the config. */
  readonly name: string
  readonly nsid: string
  /** Record key type of the lexicon, for example `tid` or `literal:self`. */
  readonly key: string
  readonly description: string
  readonly table: string
  /** Promoted fields, each a column; sorted by column. */
  readonly fields: readonly FieldModel[]
  /** Path of the record's own time, or null where the index's time counts. */
  readonly time: PathModel | null
  readonly search: SearchModel | null
  readonly counts: readonly CountModel[]
  readonly relations: readonly RelationModel[]
  readonly references: readonly ReferenceModel[]
  readonly methods: readonly Method[]
  readonly validate: 'strict' | 'lenient' | 'off'
  readonly discover: boolean
  /** Column of `subjectField`, where there is one. */
  readonly subjectColumn: string | null
  /** Whether the config holds a `recordFilter` for this collection. */
  readonly recordFilter: boolean
  /** Partitions of its table, by author; absent where there are none. */
  readonly partitions?: number
  /** Queries that the config adds, sorted by name; absent where there are none. */
  readonly queries?: readonly QueryModel[]
}

/** A query of the config. */
export interface QueryModel {
  /** Last part of its NSID. */
  readonly name: string
  /** `custom`: it answers by itself. `list`: it narrows `listRecords`. */
  readonly kind: 'custom' | 'list'
  readonly description: string
  /** Null where it declares none, and takes any. */
  readonly params: readonly QueryParamModel[] | null
}

export interface QueryParamModel {
  readonly name: string
  /** Of each value. */
  readonly type: 'string' | 'integer' | 'number' | 'boolean'
  /** Whether it may be given several times. */
  readonly list: boolean
  readonly required: boolean
  readonly description: string
  /** The only values that it may have; empty where there are others. */
  readonly values: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
}

export type Method = 'listRecords' | 'getRecord'

/** What a field holds, as far as columns and parameters care; `list`: several strings. */
export type FieldKind = 'text' | 'integer' | 'boolean' | 'datetime' | 'cid' | 'list'

/**
 * One way to filter by a field. `equal`: any of the values given; `not`: none of them; `prefix`: how text begins;
 * `range`: from and to, and an order to sort by; `exists`: whether the record has it.
 */
export type FieldFilter = 'equal' | 'not' | 'prefix' | 'range' | 'exists'

/** A way into a record: property names, outermost first. */
export interface PathModel {
  /** As in the config, for example `subject.uri`. */
  readonly path: string
  readonly segments: readonly string[]
}

export interface FieldModel extends PathModel {
  readonly kind: FieldKind
  /** Empty where it is promoted for a relation or reference only. */
  readonly filters: readonly FieldFilter[]
  /** Whether its filters have an index of their own. */
  readonly index: boolean
  /** Whether a record may be without it. */
  readonly optional: boolean
  /** Parameter name, for example `subjectUri`. */
  readonly param: string
  readonly column: string
  /** Table with a row for each value of a list; null for other kinds. */
  readonly valuesTable: string | null
  readonly description: string
  /** Values that the lexicon names, sorted as there. */
  readonly knownValues: readonly string[]
}

export interface SearchModel {
  readonly table: string
  readonly columns: readonly (PathModel & { readonly column: string })[]
}

/** A count that a relation keeps on its parent. */
export interface CountModel {
  /** Output name, for example `rsvpsGoingCount`. */
  readonly name: string
  readonly column: string
  readonly relation: string
  /** Short name of the group; null counts all. */
  readonly group: string | null
}

export interface RelationModel {
  readonly name: string
  /** Short name of the child collection. */
  readonly collection: string
  readonly childTable: string
  /** The child's column that points here. */
  readonly column: string
  readonly match: 'uri' | 'did'
  readonly groups: GroupsModel | null
  /** Whether counts are kept. */
  readonly count: boolean
  /** The child's column whose distinct values are counted, instead of rows. */
  readonly distinct: string | null
  /** Parameter that asks for children, for example `hydrateRsvps`. */
  readonly hydrateParam: string
}

export interface GroupsModel {
  readonly path: string
  readonly column: string
  /** Sorted by name. */
  readonly values: readonly { readonly name: string; readonly value: string }[]
}

export interface ReferenceModel {
  readonly name: string
  /** Short name of the collection pointed at. */
  readonly collection: string
  /** This collection's column that holds the pointer. */
  readonly column: string
  readonly match: 'uri' | 'did'
  readonly hydrateParam: string
}
