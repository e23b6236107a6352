import { quote } from './sql.ts'
import type { CollectionTable } from './tables.ts'

/** Names the locks on accounts, as the emitted function `lexidex_lock` does. */
const LOCKS = 0x6c786478
/** Beyond all stripes: held shared by every batch, and alone by one that changes all that an account has. */
const EVERYONE = 256

/**
 * Locks all accounts that a batch is about, in one order, before anything is read: those of its records, and of the
 * parents that they point at, now or before. Binds: DIDs and pointers; then the URIs of each of `children`.
 */
export function lockSql(children: readonly CollectionTable[]): string {
  const before = children.flatMap(({ table, columns, pointers, key }, i) =>
    pointers.map(
      (at) => ` || ARRAY(SELECT ${quote(columns[at]!.name)} FROM ${quote(table)} WHERE ${among(key, `$${i + 2}`)})`,
    ),
  )
  return `SELECT pg_advisory_xact_lock_shared(${LOCKS}, ${EVERYONE}), lexidex_lock($1::text[]${before.join('')})`
}

/** Whether a row is one of the records whose URIs are bound as `parameter`. */
function among(key: CollectionTable['key'], parameter: string): string {
  if (key.length === 1) return `uri = ANY(${parameter}::text[])`
  return `(uri, did) IN (SELECT uri, split_part(uri, '/', 3) FROM unnest(${parameter}::text[]) AS uri)`
}

/** Whether the row `a` is the record that `b` is about. */
function isSame({ key }: CollectionTable, a: string, b: string): string {
  return key.map((column) => `${a}.${column} = ${b}.${column}`).join(' AND ')
}

/** For batches with account operations, which may touch any parent. */
export const LOCK_ALL = `SELECT pg_advisory_xact_lock(${LOCKS}, ${EVERYONE})`

/** Makes accounts known, each new one with a pending job per dependent collection. Binds: DIDs, now, NSIDs. */
export const REMEMBER = `WITH added AS (
  INSERT INTO lexidex_account (did, first_seen_at) SELECT did, $2::bigint FROM unnest($1::text[]) AS did
  ON CONFLICT (did) DO NOTHING RETURNING did
)
INSERT INTO lexidex_job (did, collection, updated_at)
SELECT added.did, dependent, $2::bigint FROM added CROSS JOIN unnest($3::text[]) AS dependent
ON CONFLICT (did, collection) DO NOTHING`

/** Columns of a put's arrays, in order, with their types. */
function putColumns({ columns, subject }: CollectionTable): readonly (readonly [name: string, type: string])[] {
  const text = ['uri', 'did', 'rkey', 'cid', 'rev'].map((name) => [name, 'text'] as const)
  return [
    ...text,
    ['indexed_at', 'bigint'],
    ['sort_at', 'bigint'],
    ...columns.map(({ kind }, i) => [`c${i}`, kind === 'text' || kind === 'list' ? 'text' : 'bigint'] as const),
    ['record', 'text'],
    ['retry', 'bigint'],
    ...(subject < 0 ? [] : [['subject', 'text'] as const]),
  ]
}

function putsFrom(collection: CollectionTable): string {
  const columns = putColumns(collection)
  return `unnest(${columns.map(([, type], i) => `$${i + 1}::${type}[]`).join(', ')})
  WITH ORDINALITY AS put (${[...columns.map(([name]) => name), 'place'].join(', ')})
JOIN lexidex_account AS account ON account.did = put.did`
}

/** A known account that is not deleted; nothing that an equal or later deletion, or a comparison of the repo, has overtaken. */
function putGuards({ subject }: CollectionTable): string {
  return [
    'account.hidden < 2',
    '(put.retry = 1 OR account.verified_rev IS NULL OR put.rev >= account.verified_rev)',
    'NOT EXISTS (SELECT FROM lexidex_tombstone AS grave WHERE grave.uri = put.uri AND grave.rev >= put.rev)',
    ...(subject < 0 ? [] : ['EXISTS (SELECT FROM lexidex_account AS about WHERE about.did = put.subject)']),
  ].join('\n  AND ')
}

/**
 * The guarded insert of records that the index has not met. Binds arrays: see `putColumns`.
 *
 * Never as an upsert: a statement that both inserts and updates would run the triggers of both, and each would find the
 * other's rows in the table already.
 */
export function insertSql(collection: CollectionTable): string {
  const columns = collection.columns.map(({ name }) => quote(name))
  const names = ['uri', 'did', 'rkey', 'cid', 'rev', 'indexed_at', 'sort_at', 'hidden', ...columns, 'record']
  const values = [
    'put.uri',
    'put.did',
    'put.rkey',
    'put.cid',
    'put.rev',
    'put.indexed_at',
    'put.sort_at',
    'account.hidden',
  ]
  return `INSERT INTO ${quote(collection.table)} (${names.join(', ')})
SELECT ${[...values, ...collection.columns.map((_, i) => `put.c${i}`), 'put.record'].join(', ')}
FROM ${putsFrom(collection)}
WHERE ${putGuards(collection)}
ORDER BY put.place
ON CONFLICT (${collection.key.join(', ')}) DO NOTHING`
}

/** The guarded update of records that are there; the time of the first meeting stays. Binds as `insertSql`. */
export function updateSql(collection: CollectionTable): string {
  const sets = [
    'cid = put.cid',
    'rev = put.rev',
    'sort_at = least(put.sort_at, old.indexed_at)',
    ...collection.columns.map(({ name }, i) => `${quote(name)} = put.c${i}`),
    'record = put.record',
  ]
  return `UPDATE ${quote(collection.table)} AS old SET ${sets.join(', ')}
FROM ${putsFrom(collection)}
WHERE ${isSame(collection, 'old', 'put')} AND put.rev > old.rev AND ${putGuards(collection)}`
}

/** What was made of an account, as far as a deletion or refusal asks. */
function known(alias: string): string {
  return `EXISTS (SELECT FROM lexidex_account AS account WHERE account.did = ${alias}.did)`
}

/** Deletions, and refusals, that a comparison of the whole repo has overtaken do nothing. */
const NOT_OVERTAKEN =
  'NOT EXISTS (SELECT FROM lexidex_account AS account WHERE account.did = input.did AND account.verified_rev > input.rev)'

const BURY = `ON CONFLICT (uri) DO UPDATE SET rev = excluded.rev, deleted_at = excluded.deleted_at
  WHERE excluded.rev > lexidex_tombstone.rev`

/**
 * Removes rows up to a rev and remembers the deletions. Of accounts unknown to a dependent collection nothing is kept, so
 * nothing need stay deleted. Binds arrays of uri, rev, did; then now. Row: `changed`.
 */
export function deleteSql(collection: CollectionTable): string {
  const { table, discover } = collection
  return `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS input (uri, rev, did) WHERE ${NOT_OVERTAKEN}
), removed AS (
  DELETE FROM ${quote(table)} AS old USING input WHERE ${isSame(collection, 'old', 'input')} AND old.rev <= input.rev RETURNING old.uri
), settled AS (
  DELETE FROM lexidex_quarantine AS refused USING input WHERE refused.uri = input.uri AND refused.rev <= input.rev
), buried AS (
  INSERT INTO lexidex_tombstone (uri, rev, deleted_at)
  SELECT uri, rev, $4::bigint FROM input${discover ? '' : ` WHERE ${known('input')}`}
  ${BURY} RETURNING uri
)
SELECT count(*) AS changed FROM (SELECT uri FROM removed UNION SELECT uri FROM buried) AS uris`
}

/**
 * Keeps refused versions, unless later ones were seen, and hides what they replaced. Of deleted accounts nothing is
 * refused: they may come back with the same version, and it must then be met anew. All parts see the tables as they were
 * before. Binds arrays of uri, rev, did, cid, reason, record; then now. Row: `changed`.
 */
export function quarantineSql(collection: CollectionTable): string {
  const { table, discover } = collection
  const guards = [
    'NOT EXISTS (SELECT FROM lexidex_account AS account WHERE account.did = input.did AND account.hidden = 2)',
    ...(discover ? [] : [known('input')]),
  ].join(' AND ')
  return `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS input (uri, rev, did, cid, reason, record) WHERE ${NOT_OVERTAKEN}
), kept AS (
  INSERT INTO lexidex_quarantine (uri, collection, did, rev, cid, reason, record, quarantined_at)
  SELECT uri, $8::text, did, rev, cid, reason, record, $7::bigint FROM input WHERE ${guards}
    AND NOT EXISTS (SELECT FROM lexidex_tombstone AS grave WHERE grave.uri = input.uri AND grave.rev >= input.rev)
    AND NOT EXISTS (SELECT FROM ${quote(table)} AS later WHERE ${isSame(collection, 'later', 'input')} AND later.rev > input.rev)
  ON CONFLICT (uri) DO UPDATE SET rev = excluded.rev, cid = excluded.cid, reason = excluded.reason,
    record = excluded.record, quarantined_at = excluded.quarantined_at
  WHERE excluded.rev > lexidex_quarantine.rev RETURNING uri
), removed AS (
  DELETE FROM ${quote(table)} AS old USING input WHERE ${isSame(collection, 'old', 'input')} AND old.rev <= input.rev RETURNING old.uri
), buried AS (
  INSERT INTO lexidex_tombstone (uri, rev, deleted_at) SELECT uri, rev, $7::bigint FROM input WHERE ${guards}
  ${BURY}
)
SELECT count(*) AS changed FROM (SELECT uri FROM kept UNION SELECT uri FROM removed) AS uris`
}

/** Forgets refused versions that a later put replaced. Binds arrays of uri, rev. */
export const CLEAR_REPLACED = `DELETE FROM lexidex_quarantine AS refused
USING unnest($1::text[], $2::text[], $3::text[]) AS put (uri, rev, did)
WHERE refused.uri = put.uri AND refused.rev < put.rev AND NOT EXISTS (
  SELECT FROM lexidex_account AS account WHERE account.did = put.did AND account.verified_rev > put.rev
)`

/** Forgets refused versions that a retry of them settles. Binds arrays of uri, rev. */
export const CLEAR_SETTLED = `DELETE FROM lexidex_quarantine AS refused
USING unnest($1::text[], $2::text[]) AS put (uri, rev) WHERE refused.uri = put.uri AND refused.rev <= put.rev`

/**
 * Takes back the tombstones that quarantines left, so that their versions can be tried again; never one of a deletion,
 * which has no refused version beside it. Binds arrays of uri, rev.
 */
export const LIFT_TOMBSTONES = `DELETE FROM lexidex_tombstone AS grave
USING unnest($1::text[], $2::text[]) AS put (uri, rev), lexidex_quarantine AS refused
WHERE grave.uri = put.uri AND grave.rev = put.rev AND refused.uri = put.uri AND refused.rev = put.rev`

/** Makes known accounts due. Binds arrays of did, resync (each DID once); then now. */
export const CHECK = `UPDATE lexidex_account AS account SET check_due_at = $3::bigint, resync = greatest(account.resync, hint.resync)
FROM unnest($1::text[], $2::bigint[]) AS hint (did, resync) WHERE account.did = hint.did`

/** Binds arrays of source, epoch, cursor; then now. */
export const UPSERT_CURSORS = `INSERT INTO lexidex_cursor (source, epoch, cursor, updated_at)
SELECT source, epoch, cursor, $4::bigint FROM unnest($1::text[], $2::text[], $3::text[]) AS position (source, epoch, cursor)
ON CONFLICT (source) DO UPDATE SET epoch = excluded.epoch, cursor = excluded.cursor, updated_at = excluded.updated_at`

/** A number per table that grows with each write to it. None while a bulk load goes on, which does without the triggers. */
export const READ_VERSIONS = `SELECT name, sum(version) AS version FROM lexidex_version
WHERE NOT EXISTS (SELECT FROM lexidex_state WHERE name = 'bulk_load') GROUP BY name`

/**
 * Lets versions go on from the time where that is later. From a backup that was put back they would else count on through
 * numbers that clients know, and that stood for something else. $1: µs since 1970.
 */
export const RENEW_VERSIONS = 'UPDATE lexidex_version SET version = greatest(version + 1, $1) WHERE slot = 0'
