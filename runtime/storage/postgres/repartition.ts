import type pg from 'pg'
import { LexidexError, messageOf } from '../../core/errors.ts'
import { isLoading } from './bulk.ts'
import { inTransaction, REBUILD_LOCK, sqlState } from './connection.ts'
import { MIGRATE } from './migrate.ts'
import { literal, quote } from './sql.ts'

/** Where a table grows up under its own name; gone again with the transaction. */
const NURSERY = 'lexidex_rebuild'

/** Characters of a table's name that those of its parts begin with, as the generator has it. */
const BEGINNING = 55

interface Found {
  readonly schema: string
  /** Qualified, as SQL. */
  readonly id: string
  readonly owner: string
}

const TABLE = `SELECT nspname AS schema, pg_get_serial_sequence(format('%I.%I', nspname, relname), 'id') AS id,
  pg_get_userbyid(relowner) AS owner
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = $1::regclass`

/** Constraints that a table has beside its own, which may not hold for parts. */
const CONSTRAINTS = `SELECT conname FROM pg_constraint
WHERE conrelid = $1::regclass AND contype IN ('p', 'u', 'x', 'f') AND NOT (
  contype IN ('p', 'u') AND ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey))
    <@ ARRAY['id', 'uri', 'did']
)`

/** Indexes that belong to no constraint: what comes before and after the name of the table. */
const INDEXES = `SELECT relname AS name, indisunique AS is_unique,
  substr(pg_get_indexdef(indexrelid), strpos(pg_get_indexdef(indexrelid), ' USING ')) AS definition
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = $1::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
ORDER BY indexrelid`

const TRIGGERS = `SELECT tgname AS name, pg_get_triggerdef(oid) AS definition, tgenabled AS enabled
FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal ORDER BY oid`

const GRANTS = `SELECT privilege_type AS privilege, is_grantable AS again,
  CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS grantee
FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = $1::regclass AND grantee <> relowner`

/** How a trigger that is not simply on is switched. */
const SWITCHED: Readonly<Record<string, string>> = { D: 'DISABLE', R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' }

/**
 * Copies a table into as many parts as are wanted, or into one, with its indexes, triggers and grants, in one
 * transaction. It is read as before until the copy takes its place; whoever writes waits.
 *
 * @param partitions `undefined`: one table
 * @throws LexidexError where that cannot be done; the table is as it was then
 */
export async function repartition(pool: pg.Pool, table: string, partitions: number | undefined): Promise<void> {
  try {
    await inTransaction(pool, (client) => rebuild(client, table, partitions))
  } catch (cause) {
    if (cause instanceof LexidexError) throw cause
    const depends = sqlState(cause) === '2BP01'
    throw new LexidexError(`The table ${table} could not be copied: ${messageOf(cause)}`, {
      hint: depends
        ? `It is as it was. Drop what depends on it, views for example, and make that again afterwards.`
        : 'It is as it was. Mend what the message names, then try again.',
      cause,
    })
  }
}

async function rebuild(client: pg.ClientBase, table: string, partitions: number | undefined): Promise<void> {
  const rows = async (sql: string) => (await client.query(sql, [quote(table)])).rows
  await client.query(MIGRATE)
  // Batches that wait for this one have not touched any table yet, and so stand in nobody's way.
  await client.query(`SELECT pg_advisory_xact_lock(${REBUILD_LOCK})`)
  await client.query(`LOCK TABLE ${quote(table)} IN EXCLUSIVE MODE`)
  if (await isLoading(client)) {
    throw new LexidexError('A bulk load is going on, so no table can be copied now', {
      hint: 'Wait for the backfill to end, or stop it and start the index once, which ends the load.',
    })
  }
  const foreign = (await rows(CONSTRAINTS)).map(({ conname }) => conname)
  if (foreign.length > 0) {
    throw new LexidexError(`The table ${table} has constraints that lexidex knows nothing of: ${foreign.join(', ')}`, {
      hint: 'Drop them, and add them again afterwards where they hold for partitions.',
    })
  }
  const [found] = (await rows(TABLE)) as Found[]
  const triggers = await rows(TRIGGERS)
  const grants = await rows(GRANTS)
  const indexes = await rows(INDEXES)

  await client.query(`CREATE SCHEMA ${NURSERY}`)
  const parts = await createEmpty(client, found!, table, partitions)
  await client.query(`SET LOCAL maintenance_work_mem = '256MB'`)
  await client.query(`INSERT INTO ${young(table)} SELECT * FROM ${quote(table)}`)
  await addKeys(client, table, partitions)
  const idIndex = idIndexOf(table)
  for (const { name, is_unique, definition } of indexes) {
    if (name === idIndex) continue
    await client.query(`CREATE ${is_unique ? 'UNIQUE ' : ''}INDEX ${quote(name)} ON ${young(table)}${definition}`)
  }

  await client.query(`DROP TABLE ${quote(table)}`)
  for (const name of [...parts, table]) {
    await client.query(`ALTER TABLE ${young(name)} SET SCHEMA ${quote(found!.schema)}`)
    await client.query(`ALTER TABLE ${quote(name)} OWNER TO ${quote(found!.owner)}`)
  }
  await client.query(`DROP SCHEMA ${NURSERY}`)
  for (const { name, definition, enabled } of triggers) {
    await client.query(definition)
    if (enabled in SWITCHED)
      await client.query(`ALTER TABLE ${quote(table)} ${SWITCHED[enabled]} TRIGGER ${quote(name)}`)
  }
  for (const { privilege, grantee, again } of grants) {
    await client.query(`GRANT ${privilege} ON ${quote(table)} TO ${grantee}${again ? ' WITH GRANT OPTION' : ''}`)
  }
  await client.query(`ANALYZE ${quote(table)}`)
}

/** A table of the same columns, without rows and keys. Resolves to the names of its parts. */
async function createEmpty(
  client: pg.ClientBase,
  { id }: Found,
  table: string,
  partitions: number | undefined,
): Promise<readonly string[]> {
  const { rows } = await client.query(`SELECT last_value, is_called, split.name FROM ${id},
  LATERAL (SELECT relname AS name FROM pg_class WHERE oid = ${literal(id)}::regclass) AS split`)
  const sequence = young(rows[0].name)
  const like = `LIKE ${quote(table)} INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY`
  await client.query(
    `CREATE TABLE ${young(table)} (${like})${partitions === undefined ? '' : ' PARTITION BY HASH (did)'}`,
  )
  const column = `ALTER TABLE ${young(table)} ALTER COLUMN id`
  await client.query(`${column} DROP DEFAULT`)
  if (partitions === undefined) {
    await client.query(`${column} ADD GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME ${sequence})`)
  } else {
    await client.query(`CREATE SEQUENCE ${sequence}`)
    await client.query(`${column} SET DEFAULT nextval(${literal(sequence)})`)
    await client.query(`ALTER SEQUENCE ${sequence} OWNED BY ${young(table)}.id`)
  }
  await client.query('SELECT setval($1::regclass, $2::bigint, $3)', [sequence, rows[0].last_value, rows[0].is_called])
  const parts = Array.from({ length: partitions ?? 0 }, (_, part) => `${table.slice(0, BEGINNING)}_p${part}`)
  for (const [part, name] of parts.entries()) {
    const values = `MODULUS ${partitions}, REMAINDER ${part}`
    await client.query(`CREATE TABLE ${young(name)} PARTITION OF ${young(table)} FOR VALUES WITH (${values})`)
  }
  return parts
}

/** The keys that the emitted schema gives to a table of this kind. */
async function addKeys(client: pg.ClientBase, table: string, partitions: number | undefined): Promise<void> {
  if (partitions === undefined) {
    await client.query(`ALTER TABLE ${young(table)} ADD PRIMARY KEY (id), ADD UNIQUE (uri)`)
    return
  }
  await client.query(`ALTER TABLE ${young(table)} ADD PRIMARY KEY (uri, did)`)
  await client.query(`CREATE INDEX ${quote(idIndexOf(table))} ON ${young(table)} (id)`)
}

function idIndexOf(table: string): string {
  return `${table.slice(0, BEGINNING)}_by_id`
}

function young(name: string): string {
  return `${NURSERY}.${quote(name)}`
}
