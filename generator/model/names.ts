import { createHash } from 'node:crypto'

/** Longest identifier that every supported database keeps whole. */
const MAX_IDENTIFIER = 63

/** Columns that every table has. A field of the same name becomes `value_<name>`. */
const BASE_COLUMNS = new Set([
  'id',
  'uri',
  'did',
  'rkey',
  'cid',
  'rev',
  'indexed_at',
  'sort_at',
  'hidden',
  'record',
  // SQLite's own names of the row id, and of a search table's hidden columns.
  'rowid',
  'oid',
  '_rowid_',
  'rank',
])

/** Parameters that list methods have of themselves, now or by promise. */
const LIST_PARAMS = new Set([
  'limit',
  'cursor',
  'order',
  'sort',
  'search',
  'did',
  'actor',
  'uri',
  'cid',
  'createdAtMin',
  'createdAtMax',
  'indexedAtMin',
  'indexedAtMax',
  'profiles',
  'labelers',
])

export function isListParam(name: string): boolean {
  return LIST_PARAMS.has(name)
}

/** What every object of JavaScript has, so that parameters of these names would seem to be given always. */
const OBJECT_MEMBERS = new Set(Object.getOwnPropertyNames(Object.prototype))

/** Words that cannot name a constant in emitted TypeScript, and what emitted files import. */
const RESERVED_CONSTANTS = new Set(
  [
    'await break case catch class const continue debugger default delete do else enum export extends false finally',
    'for function if implements import in instanceof interface let new null package private protected public return',
    'static super switch this throw true try typeof undefined var void while with yield arguments eval async of',
    'require exports module globalThis',
    'boolean booleanParam cid count datetime datetimeParam defineCollection defineCustomQuery defineGet defineList',
    'defineNarrowedList flag getParams',
    'hydrateLimit integer integerParam listParams many prefixParam Query search strings text z Database',
    'app App Client config create createClient createIndexer createServerClient Indexer IndexerOptions InProcessService inProcess',
    'lexicons migrations options QueryRecords schemas ServerClientOptions store Store q p r',
  ].flatMap((line) => line.split(' ')),
)

/** `startsAt` → `starts_at`, `fooURL` → `foo_url`, `subject.uri` → `subject_uri`. */
export function snakeCase(name: string): string {
  return name
    .replace(/[^a-zA-Z0-9]+/g, '_')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
}

/** `subject.uri` → `subjectUri`, `embed.$type` → `embedType`. */
export function camelCase(path: string): string {
  return path
    .split(/[^a-zA-Z0-9]+/)
    .filter((part) => part !== '')
    .map((part, i) => (i === 0 ? part : upperFirst(part)))
    .join('')
}

export function upperFirst(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

/** A SQL identifier, cut to what every database keeps; a hash keeps cut names apart. */
export function identifier(...parts: string[]): string {
  const name = parts.join('_')
  if (name.length <= MAX_IDENTIFIER) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${name.slice(0, MAX_IDENTIFIER - 9)}_${hash}`
}

/** Table of a collection. `sqlite_` and `lexidex_` belong to others. */
export function tableName(shortName: string): string {
  const name = snakeCase(shortName)
  return identifier(/^(sqlite|lexidex)_/.test(name) ? `records_${name}` : name)
}

export interface FieldNames {
  readonly param: string
  readonly column: string
}

/** Parameter and column of a field. Names that are taken get `value` in front of them. */
export function fieldNames(path: string): FieldNames {
  const param = camelCase(path)
  const column = snakeCase(path).replace(/^_|_$/g, '')
  const taken =
    LIST_PARAMS.has(param) || OBJECT_MEMBERS.has(param) || BASE_COLUMNS.has(column) || !/^[a-zA-Z]/.test(param)
  return taken
    ? { param: `value${upperFirst(param)}`, column: identifier('value', column) }
    : { param, column: identifier(column) }
}

/** The table that holds the values of a list: `event`, `tags` → `event_tags_values`. */
export function valuesTable(table: string, column: string): string {
  return identifier(table, column, 'values')
}

/** A part of a table: `event`, 3 → `event_p3`. The runtime names alike what it makes anew. */
export function partitionName(table: string, part: number | ''): string {
  return `${table.slice(0, MAX_IDENTIFIER - 8)}_p${part}`
}

/** The index on the numbers of rows that a table of parts has in place of a key: `event_by_id`. */
export function idIndexName(table: string): string {
  return `${table.slice(0, MAX_IDENTIFIER - 8)}_by_id`
}

/** `rsvps`, `going` → `rsvpsGoingCount`. */
export function countName(relation: string, group: string | null): string {
  return `${relation}${group === null ? '' : upperFirst(camelCase(group))}Count`
}

/** `event`, `stats` → `eventStatsQuery`, what emitted code calls a query of the config. */
export function queryConstant(shortName: string, query: string): string {
  return `${shortName}${upperFirst(query)}Query`
}

/** What the triggers of a relation's counts are named by. */
export function counterName(table: string, relation: string): string {
  return identifier(table, relation.toLowerCase())
}

/** `rsvps` → `hydrateRsvps`. */
export function hydrateParam(name: string): string {
  return `hydrate${upperFirst(name)}`
}

/** Names that emitted TypeScript gives to what belongs to a collection. */
export interface CodeNames {
  /** Constant of the collection. */
  readonly constant: string
  /** `Event`, in front of `EventRecord`, `EventTable`, `EventView`, … */
  readonly type: string
  readonly list: string
  readonly listParams: string
  readonly get: string
  readonly getParams: string
}

export function codeNames(shortName: string): CodeNames {
  const name = upperFirst(shortName)
  // `RecordView` is what every view extends.
  const type = name === 'Record' ? 'RecordCollection' : name
  return {
    constant: RESERVED_CONSTANTS.has(shortName) ? `${shortName}Collection` : shortName,
    type,
    list: `list${type}Records`,
    listParams: `list${type}Params`,
    get: `get${type}Record`,
    getParams: `get${type}Params`,
  }
}
