import pg from 'pg'
import { LexidexError } from '../../core/errors.ts'
import { statementName } from './sql.ts'

/** What a query may bind: text and numbers, or arrays in binary form. */
export type Bound = string | number | null | Buffer

const INT8 = 20
const NUMERIC = 1700

/** As in every other database, integers are numbers: none of ours is larger than a number holds exactly. */
const types = {
  getTypeParser(oid: number, format?: string) {
    if (oid === INT8 || oid === NUMERIC) return Number
    return pg.types.getTypeParser(oid, format as 'text')
  },
}

/** Runs one statement. */
export interface Queryable {
  query(config: pg.QueryConfig): Promise<pg.QueryResult>
}

/** A statement whose text is known beforehand, planned once per connection. */
export function prepared(sql: string, values: readonly Bound[], named: boolean): pg.QueryConfig {
  const config = { text: sql, values: values as Bound[], types: types as pg.CustomTypesConfig }
  return named ? { ...config, name: statementName(sql) } : config
}

/** Any other statement. */
export function once(sql: string, values: readonly unknown[] = []): pg.QueryConfig {
  return { text: sql, values: values as unknown[], types: types as pg.CustomTypesConfig }
}

/** Two writers met, or waited for each other: the same transaction may pass at once. */
const COLLISIONS = new Set(['40001', '40P01'])

// Classes of SQLSTATE that are about the server, the connection or the transaction, not about what was written.
const CONDITIONS = new Set(['08', '25', '28', '3D', '40', '53', '55', '57', '58', 'F0', 'HV'])
const CORRUPT = new Set(['XX001', 'XX002'])

/** SQLSTATE of an error of the server; null for any other. */
export function sqlState(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null
}

export function isCollision(error: unknown): boolean {
  return COLLISIONS.has(sqlState(error) ?? '')
}

/** Whether a statement counts on a unique key that its table does not have. */
export function lacksKey(error: unknown): boolean {
  return sqlState(error) === '42P10'
}

/** Whether an error is about the database (unreachable, full, ending), not about what was written. */
export function isDatabaseCondition(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== null) return CONDITIONS.has(state.slice(0, 2)) || CORRUPT.has(state)
  // What the driver itself says is about its connection.
  return error instanceof Error && !(error instanceof LexidexError) && !isMistake(error)
}

function isMistake(error: Error): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
}

/** Held shared by every batch from its beginning, and alone by whoever copies a table: "lxdx", and "re". */
export const REBUILD_LOCK = '1819829368, 29285'

/**
 * Plans of batches are made once, maybe while the tables are empty: they must not walk them when they are full. What
 * batches and triggers look up always has an index.
 */
const BEGIN_BATCH = `BEGIN; SET LOCAL enable_seqscan = off; SELECT pg_advisory_xact_lock_shared(${REBUILD_LOCK})`

/** Runs `work`, which writes a batch, in one transaction. */
export function inBatch<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return inTransaction(pool, work, BEGIN_BATCH)
}

/** Runs `work` in one transaction of one connection; on an error nothing of it stays. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  begin = 'BEGIN',
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query(begin)
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    // A connection that cannot even roll back is not handed to anybody else.
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}
