import type { CollectionDef } from '../../core/collection.ts'
import type { Queryable } from './connection.ts'

/** Of each table of `$1` that is cut into parts, how many there are. */
const PARTITIONS = `SELECT name, (SELECT count(*) FROM pg_inherits WHERE inhparent = oid)::integer AS partitions
FROM unnest($1::text[]) AS name JOIN pg_class ON oid = to_regclass(quote_ident(name)) WHERE relkind = 'p'`

/** How many parts tables are cut into, by name; without those that are whole. */
export async function partitionsOf(
  db: Queryable,
  collections: readonly CollectionDef[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query({ text: PARTITIONS, values: [collections.map(({ table }) => table)] })
  return new Map(rows.map(({ name, partitions }) => [name, partitions]))
}

/** A collection whose table is cut into another number of parts than it states. */
export interface Mismatch {
  readonly table: string
  /** Parts that there are; `undefined`: it is whole. */
  readonly is: number | undefined
  readonly wanted: number | undefined
}

export function mismatches(
  collections: readonly CollectionDef[],
  partitions: ReadonlyMap<string, number>,
): readonly Mismatch[] {
  return collections
    .map(({ table, partitions: wanted }) => ({ table, is: partitions.get(table), wanted }))
    .filter(({ is, wanted }) => is !== wanted)
}

/** What is to be told of tables that are not as the collections state; null where all are. */
export function warningOf(found: readonly Mismatch[]): string | null {
  if (found.length === 0) return null
  const parts = (n: number | undefined) => (n === undefined ? 'one table' : `${n} partitions`)
  const tables = found.map(({ table, is, wanted }) => `${table} is ${parts(is)} and not ${parts(wanted)}`)
  return `${tables.join(', ')}: all works as it is; \`lexidex repartition\` makes it as the config says`
}
