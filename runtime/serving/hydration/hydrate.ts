import type { CollectionDef, ReferenceDef, RelationDef } from '../../core/collection.ts'
import { invalidRequest, LexidexError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { prepareOnce } from '../shared/prepare.ts'
import { type EmbeddedColumn, PAGE, type Row } from '../shared/splice.ts'
import { type OpenEntry, readEntries, readEntry } from './open-entries.ts'

/** How deep records are embedded in one another: children of a child are the end. */
const DEPTH = 2

/** Columns that are asked for together with rows, and characters of their SQL: D1 takes 100 in all, and 100 kB. */
const MAX_COLUMNS = 20
const MAX_TEXT = 50_000

/** Parsed parameters, `hydrate…` among them. */
export type HydrateParams = Readonly<Record<string, unknown>>

/** Embeds children and targets in the records of one collection. */
export interface Hydration {
  /** Names of its parameters. */
  readonly params: readonly string[]
  /**
   * What a request wants embedded, as text to splice into the JSON of each row: properties with a comma in front of
   * each. One statement per relation or reference for the whole page, and one for each of theirs.
   *
   * @param authors is given the DIDs of what is embedded
   */
  embed(rows: readonly Row[], params: HydrateParams, authors?: Set<string>): Promise<readonly string[]>
  /**
   * What of it may be asked for together with the rows, where the database is far: `embed` then finds it in them. Nothing
   * where that would be more than one statement takes.
   */
  columns(params: HydrateParams): readonly EmbeddedColumn[]
  /**
   * Most records that are embedded in one.
   *
   * @throws XrpcError 400 where something is to be embedded in what is not asked for itself
   */
  most(params: HydrateParams): number
}

/** One relation or reference, for a page of rows. Undefined where a row gets nothing. */
interface Part {
  readonly param: string
  readonly property: string
  /** Most records per row, where the parameter is `asked`; what is embedded in them not counted. */
  size(asked: number): number
  /** What is embedded in the records of this part; null where nothing more is. */
  readonly inner: Hydration | null
  columns(asked: number, params: HydrateParams): readonly EmbeddedColumn[]
  values(
    rows: readonly Row[],
    asked: number,
    params: HydrateParams,
    authors: Set<string> | undefined,
  ): Promise<readonly (string | undefined)[]>
}

/** @param collections All of the app: those that relations and references point at are among them. */
export function createHydration(
  store: Store,
  collection: CollectionDef,
  collections: readonly CollectionDef[],
): Hydration {
  return hydrationOf({ store, collections }, collection, 'hydrate', DEPTH)
}

interface Context {
  readonly store: Store
  readonly collections: readonly CollectionDef[]
}

function hydrationOf(context: Context, collection: CollectionDef, prefix: string, depth: number): Hydration {
  const part = (name: string, to: string, make: typeof relationPart | typeof referencePart, def: any): Part => {
    const target = context.collections.find((candidate) => candidate.name === to)
    if (target === undefined) {
      throw new LexidexError(`Collection ${collection.name} points at ${to}, which is not in the app`, {
        hint: 'Run `npx lexidex generate` again, and list every collection in `app.collections`.',
      })
    }
    const param = prefix + name[0]!.toUpperCase() + name.slice(1)
    const inner = depth === 1 ? null : hydrationOf(context, target, param, depth - 1)
    return { param, property: `,${JSON.stringify(name)}:`, inner, ...make(context.store, def, target, inner, param) }
  }
  const parts = [
    ...Object.entries(collection.relations).map(([name, def]) => part(name, def.collection, relationPart, def)),
    ...Object.entries(collection.references).map(([name, def]) => part(name, def.collection, referencePart, def)),
  ]
  return {
    params: parts.flatMap(({ param, inner }) => [param, ...(inner?.params ?? [])]),
    async embed(rows, params, authors) {
      const extras = new Array<string>(rows.length).fill('')
      if (rows.length === 0) return extras
      const asked = parts.filter(({ param }) => Number(params[param] ?? 0) > 0)
      // All of them at once: none waits for what another asks of a database that may be far away.
      const answers = await Promise.all(
        asked.map(async ({ param, values }) => {
          const own = authors && new Set<string>()
          return { found: await values(rows, Number(params[param]), params, own), own }
        }),
      )
      for (const [n, { found, own = [] }] of answers.entries()) {
        for (const did of own) authors?.add(did)
        for (let i = 0; i < rows.length; i++) {
          if (found[i] !== undefined) extras[i] += asked[n]!.property + found[i]
        }
      }
      return extras
    },
    columns(params) {
      const columns = parts.flatMap((part) => {
        const asked = Number(params[part.param] ?? 0)
        return asked === 0 ? [] : part.columns(asked, params)
      })
      const length = columns.reduce((sum, { sql }) => sum + sql.length, 0)
      return columns.length <= MAX_COLUMNS && length <= MAX_TEXT ? columns : []
    },
    most(params) {
      let sum = 0
      for (const { param, inner, size } of parts) {
        if (params[param] === undefined) {
          const stray = inner?.params.find((name) => Number(params[name] ?? 0) > 0)
          if (stray === undefined) continue
          throw invalidRequest(`Parameter "${stray}" needs "${param}": it embeds in what that one embeds.`)
        }
        const own = size(Number(params[param]))
        sum += own === 0 ? 0 : own * (1 + (inner?.most(params) ?? 0))
      }
      return sum
    },
  }
}

/** Whether entries stay open: something goes into them, or their authors are asked for. */
function staysOpen(inner: Hydration | null, params: HydrateParams, authors: Set<string> | undefined): boolean {
  return authors !== undefined || (inner?.params.some((name) => Number(params[name] ?? 0) > 0) ?? false)
}

/** Columns that are needed of a record to embed in it. */
function columnsOf(collection: CollectionDef): readonly string[] {
  const pointers = Object.values(collection.references).map(({ column }) => column)
  return [...new Set(['uri', 'did', ...pointers])]
}

/** Finished JSON of entries, with what is embedded in each. */
async function close(
  entries: readonly OpenEntry[],
  inner: Hydration | null,
  params: HydrateParams,
  authors: Set<string> | undefined,
): Promise<readonly string[]> {
  const rows = entries.map(({ row }) => row)
  if (authors !== undefined) for (const { did } of rows) authors.add(did)
  const extras = await inner?.embed(rows, params, authors)
  return entries.map(({ json }, i) => `${json}${extras?.[i] ?? ''}}`)
}

type PartOf = Pick<Part, 'size' | 'columns' | 'values'>

/** The newest children of each row. */
function relationPart(
  store: Store,
  relation: RelationDef,
  child: CollectionDef,
  inner: Hydration | null,
  param: string,
): PartOf {
  const columns = columnsOf(child)
  const finished = prepareOnce(store, () => store.reads.childrenOf({ child, relation }))
  const open = prepareOnce(store, () => store.reads.childParts({ child, relation }, columns))
  const lists =
    relation.groups === undefined
      ? [{ column: 'children', opening: '' }]
      : Object.keys(relation.groups.values).map((group) => ({
          column: `children_${group}`,
          opening: `${JSON.stringify(group)}:[`,
        }))

  const toJson = (row: Row | undefined): string => {
    if (relation.groups === undefined) return `[${row?.children ?? ''}]`
    let json = ''
    if (row !== undefined) {
      for (const { column, opening } of lists) {
        if (row[column] !== null) json += `${json === '' ? '' : ','}${opening}${row[column]}]`
      }
    }
    return `{${json}}`
  }

  /** The rows of `open`, as those of `finished`. */
  async function closed(
    rows: readonly Row[],
    params: HydrateParams,
    authors: Set<string> | undefined,
  ): Promise<readonly Row[]> {
    const entries: OpenEntry[] = []
    const ends: number[] = []
    for (const row of rows) {
      for (const { column } of lists) {
        if (row[column] !== null) entries.push(...readEntries(row[column], columns))
        ends.push(entries.length)
      }
    }
    // All together, so that what is in them takes one statement.
    const json = await close(entries, inner, params, authors)
    let list = 0
    return rows.map((row) => {
      const own: Record<string, unknown> = { parent: row.parent }
      for (const { column } of lists) {
        const children = json.slice(list === 0 ? 0 : ends[list - 1], ends[list])
        own[column] = children.length === 0 ? null : children.join(',')
        list++
      }
      return own
    })
  }

  const nameOf = (column: string) => `${param}_${column}`
  let withRows: readonly { readonly name: string; readonly sql: string }[] | null = null
  const columnsWithRows = () => {
    withRows ??= Object.entries(store.reads.childColumns?.({ child, relation }, `${PAGE}.${relation.match}`) ?? {}).map(
      ([column, sql]) => ({ name: nameOf(column), sql }),
    )
    return withRows
  }

  return {
    size: (asked) => asked * lists.length,
    columns: (limit, params) =>
      staysOpen(inner, params, undefined) ? [] : columnsWithRows().map((column) => ({ ...column, limit })),
    async values(rows, limit, params, authors) {
      if (lists.every(({ column }) => Object.hasOwn(rows[0]!, nameOf(column)))) {
        return rows.map((row) => toJson(Object.fromEntries(lists.map(({ column }) => [column, row[nameOf(column)]]))))
      }
      const keys = rows.map((row) => row[relation.match] as string)
      const values = [JSON.stringify([...new Set(keys)]), limit]
      const found = staysOpen(inner, params, authors)
        ? await closed(await open().all(values), params, authors)
        : await finished().all(values)
      const byParent = new Map(found.map((row) => [row.parent as string, row]))
      return keys.map((key) => toJson(byParent.get(key)))
    },
  }
}

/** The record that each row points at. */
function referencePart(store: Store, reference: ReferenceDef, target: CollectionDef, inner: Hydration | null): PartOf {
  const columns = columnsOf(target)
  const query = prepareOnce(store, () => store.reads.recordsByKey(target, reference.match, columns))
  return {
    size: (asked) => asked,
    columns: () => [],
    async values(rows, _asked, params, authors) {
      const keys = rows.map((row) => row[reference.column] as string | null)
      const wanted = new Set(keys.filter((key) => key !== null))
      if (wanted.size === 0) return []
      const found = (await query().all([JSON.stringify([...wanted])])).filter(({ entry }) => entry !== null)
      const entries = found.map(({ entry }) => readEntry(entry, columns))
      const json = await close(entries, inner, params, authors)
      const byKey = new Map(found.map((row, i) => [row.lexidex_key as string, json[i]!]))
      return keys.map((key) => (key === null ? undefined : byKey.get(key)))
    },
  }
}
