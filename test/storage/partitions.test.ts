/** Tables of Postgres that are cut into parts: how they come to be, and stay as the config says. */
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../runtime/core/log.ts'
import type { Operation } from '../../runtime/core/operation.ts'
import type { PostgresStore } from '../../runtime/storage/postgres/index.ts'
import { batchOf, collections, del, did, initOf, meetup, put, rsvp, uriOf } from './app.ts'
import { failureOf, rowsOf } from './harness.ts'
import { openPostgres, type PostgresDatabase } from './postgres-harness.ts'

/** The same collections, of so many parts. */
const inParts = (partitions: number | undefined) =>
  collections.map((collection) => (partitions === undefined ? collection : { ...collection, partitions }))

let databases: PostgresDatabase[] = []
afterEach(async () => {
  for (const database of databases) await database.drop()
  databases = []
})

/** A database whose tables were made with so many parts. */
async function madeWith(partitions: number | undefined): Promise<PostgresStore> {
  const database = await openPostgres()
  databases.push(database)
  return connect(database, partitions)
}

async function connect(database: PostgresDatabase, partitions: number | undefined): Promise<PostgresStore> {
  const store = await database.connect()
  await store.migrate([initOf('postgres', partitions)])
  await store.use(collections)
  return store
}

const apply = (store: PostgresStore, ...operations: Operation[]) => store.apply(batchOf(...operations))

/** All that the catalogue says of the tables, but for the names that the server makes up for indexes of parts. */
async function schemaOf({ pool }: PostgresStore): Promise<unknown> {
  const ask = async (sql: string) => (await pool.query({ text: sql, rowMode: 'array' })).rows
  const ours = `relnamespace = 'public'::regnamespace`
  return {
    tables: await ask(`SELECT relname, relkind, pg_get_partkeydef(oid), pg_get_expr(relpartbound, oid)
      FROM pg_class WHERE ${ours} AND relkind IN ('r', 'p') ORDER BY 1`),
    columns: await ask(`SELECT relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
        attcollation::regcollation::text, pg_get_expr(adbin, adrelid), pg_get_serial_sequence(format('%I', relname), attname)
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
      WHERE ${ours} AND relkind IN ('r', 'p') AND attnum > 0 ORDER BY 1, 2`),
    constraints: await ask(`SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1, 2`),
    indexes: await ask(`SELECT indrelid::regclass::text, CASE WHEN relispartition THEN '' ELSE relname END,
        substr(pg_get_indexdef(indexrelid), strpos(pg_get_indexdef(indexrelid), ' USING ')), indisunique, indisvalid
      FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE ${ours} ORDER BY 1, 2, 3`),
    triggers: await ask(`SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), tgenabled FROM pg_trigger
      WHERE tgrelid::regclass::text NOT LIKE 'pg_%' ORDER BY 1, 2`),
  }
}

const meetups = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
  put({ collection: meetup, did: did(name), rev: 1, record: { title: `Chess ${name}`, tags: ['x', name] } }),
)
const rsvps = meetups.flatMap(({ uri }, i) =>
  Array.from({ length: i }, (_, n) =>
    put({
      collection: rsvp,
      did: did(`guest${n}`),
      rkey: `r${i}`,
      rev: 2,
      record: { status: 'going', guest: `g${n}`, subject: { uri } },
    }),
  ),
)

describe.each([
  { from: undefined, to: 4, what: 'one table each becomes 4 parts' },
  { from: 4, to: undefined, what: '4 parts become one table' },
  { from: 4, to: 7, what: '4 parts become 7' },
])('$what', ({ from, to }) => {
  let store: PostgresStore
  beforeEach(async () => {
    store = await madeWith(from)
  })

  test('which are what a new database has, to the last trigger', async () => {
    expect([...(await store.repartition(inParts(to)))].sort()).toEqual(collections.map(({ table }) => table).sort())
    expect(await schemaOf(store)).toEqual(await schemaOf(await madeWith(to)))
    expect(await store.repartition(inParts(to))).toEqual([])
  })

  test('with every row, count, word and value in them, and go on from there', async () => {
    await apply(store, ...meetups, ...rsvps)
    const tables = ['meetup', 'rsvp', 'meetup_tags_values', 'lexidex_author', 'lexidex_version'] as const
    const all = () =>
      Promise.all(tables.map((table) => rowsOf(store, table, table.startsWith('lexidex') ? 'name' : 'uri')))
    const before = await all()
    expect(before[0]!.map((row) => row.rsvps_going_count)).toEqual([0, 1, 2, 3, 4, 5])

    await store.repartition(inParts(to))
    expect(await all()).toEqual(before)
    await apply(
      store,
      put({ collection: meetup, did: did('g'), rev: 9, record: { title: 'Go', tags: ['x'] } }),
      put({ collection: meetup, did: did('b'), rev: 3, record: { title: 'Draughts' } }),
      put({
        collection: rsvp,
        did: did('guest9'),
        rev: 3,
        record: { status: 'going', subject: { uri: meetups[5]!.uri } },
      }),
      del({ collection: rsvp, did: did('guest0'), rkey: 'r1', rev: 3 }),
    )
    const rows = await rowsOf(store, 'meetup')
    expect(rows.map((row) => row.rsvps_going_count)).toEqual([0, 0, 2, 3, 4, 6, 0])
    expect(rows.at(-1)!.id).toBeGreaterThan(Math.max(...before[0]!.map((row) => row.id)))
    const sql = `SELECT did FROM meetup WHERE ${store.reads.searchCondition(meetup)} ORDER BY did`
    const found = await store.prepare(sql).all([store.reads.compileSearch('draughts OR go')])
    expect(found).toEqual([{ did: did('b') }, { did: did('g') }])
    expect((await rowsOf(store, 'meetup_tags_values')).filter((row) => row.uri === uriOf(meetup, did('b')))).toEqual([])
  })

  test('while another process writes, which goes on without a fault', async () => {
    const writer = await connect(databases[0]!, from)
    const written = meetups.map(({ uri }) => uri)
    await apply(writer, ...meetups)
    let rebuilt = false
    const rebuilding = store.repartition(inParts(to)).then(() => {
      rebuilt = true
    })
    for (let n = 0; !rebuilt || n % 5 !== 0; n++) {
      const one = put({ collection: meetup, did: did(`late${n}`), rev: 5, record: { title: 'late' } })
      const guest = { status: 'going', subject: { uri: meetups[n % 6]!.uri } }
      expect(await apply(writer, one)).toMatchObject({ puts: 1 })
      await apply(writer, put({ collection: rsvp, did: did(`late${n}`), rev: 6, record: guest }))
      written.push(one.uri)
    }
    await rebuilding
    const last = put({ collection: meetup, did: did('last'), rev: 7, record: { title: 'last' } })
    expect(await apply(writer, last)).toMatchObject({ puts: 1 })
    const rows = await rowsOf(store, 'meetup')
    expect(rows.map(({ uri }) => uri)).toEqual([...written, last.uri].sort())
    const going = await rowsOf(store, 'rsvp')
    for (const { uri, rsvps_count } of rows) {
      expect(rsvps_count).toBe(going.filter((row) => row.subject_uri === uri).length)
    }
  })

  test('with indexes, triggers and grants of the user’s own', async () => {
    const role = `lexidex_reader_${process.pid}_${from}_${to}`
    await store.pool.query(`CREATE INDEX mine ON meetup (mode) WHERE hidden = 0`)
    await store.pool.query(`ALTER TABLE meetup DISABLE TRIGGER meetup_search_insert`)
    await store.pool.query(`CREATE ROLE ${role}`)
    try {
      await store.pool.query(`GRANT SELECT ON meetup TO ${role}`)
      await store.repartition(inParts(to))
      const [index] = (await store.pool.query(`SELECT pg_get_indexdef('mine'::regclass) AS sql`)).rows
      expect(index.sql).toContain('(mode) WHERE (hidden = 0)')
      expect((await store.pool.query(`SELECT has_table_privilege('${role}', 'meetup', 'SELECT') AS may`)).rows).toEqual(
        [{ may: true }],
      )
      await apply(store, meetups[0]!)
      expect((await store.pool.query('SELECT FROM meetup_search')).rows).toEqual([])
    } finally {
      await store.pool.query(`DROP OWNED BY ${role}`)
      await store.pool.query(`DROP ROLE ${role}`)
    }
  })

  test('but not where a view stands on one: it stays as it is, and says why', async () => {
    await store.pool.query('CREATE VIEW titles AS SELECT uri FROM meetup')
    await apply(store, ...meetups)
    const before = await schemaOf(store)
    const failure: any = await failureOf(() => store.repartition([{ ...meetup, ...(to && { partitions: to }) }]))
    expect(failure.message).toContain('The table meetup could not be copied')
    expect(failure.hint).toContain('Drop what depends on it')
    expect(await schemaOf(store)).toEqual(before)
    expect(await rowsOf(store, 'meetup')).toHaveLength(6)
  })
})

test('a unique key of the user’s own is refused before anything is copied', async () => {
  const store = await madeWith(undefined)
  await store.pool.query('ALTER TABLE meetup ADD CONSTRAINT one_of_each UNIQUE (cid)')
  const failure: any = await failureOf(() => store.repartition(inParts(4)))
  expect(failure.message).toBe('The table meetup has constraints that lexidex knows nothing of: one_of_each')
})

test('tables that are not as the collections say are told of, and served all the same', async () => {
  const database = await openPostgres()
  databases.push(database)
  const said: unknown[] = []
  const logger = { ...silentLogger, warn: (text: unknown) => said.push(text) }
  const store = await database.connect({ logger })
  await store.migrate([initOf('postgres')])
  await store.use([{ ...meetup, partitions: 8 }])
  expect(said).toEqual([
    'meetup is one table and not 8 partitions: all works as it is; `lexidex repartition` makes it as the config says',
  ])
  expect(await apply(store, put({ collection: meetup, rev: 1 }))).toMatchObject({ puts: 1 })
})

test('a bulk load takes indexes of all parts away, and brings them back', async () => {
  const store = await madeWith(4)
  const before = await schemaOf(store)
  expect(await store.bulk!.begin()).toBe(true)
  await apply(store, ...meetups, ...rsvps)
  expect((await rowsOf(store, 'meetup')).map((row) => row.rsvps_count)).toEqual([0, 0, 0, 0, 0, 0])
  expect((await store.pool.query(`SELECT FROM pg_index WHERE indrelid = 'meetup_p0'::regclass`)).rows).toHaveLength(1)
  const refused: any = await failureOf(() => store.repartition(inParts(undefined)))
  expect(refused.message).toContain('A bulk load is going on')
  await store.bulk!.end()
  expect(await schemaOf(store)).toEqual(before)
  expect((await rowsOf(store, 'meetup')).map((row) => row.rsvps_count)).toEqual([0, 1, 2, 3, 4, 5])
})

test('a record is found without asking every part where its author is known', async () => {
  const store = await madeWith(16)
  const client = new pg.Client(databases[0]!.url)
  await client.connect()
  try {
    // As the trigger of a child's insert does it.
    const { rows } = await client.query(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)
      UPDATE meetup AS parent SET rsvps_count = parent.rsvps_count + step.n0
      FROM (SELECT '${uriOf(meetup)}' || left(n::text, 0) AS pointer, 1 AS n0 FROM generate_series(1, 2) AS n) AS step
      WHERE parent.uri = step.pointer AND parent.did = split_part(step.pointer, '/', 3)`)
    const lines = rows.map((row) => row['QUERY PLAN'] as string)
    expect(lines.filter((line) => /Scan.*meetup_p/.test(line) && !line.includes('never executed'))).toHaveLength(1)
  } finally {
    await client.end()
  }
  expect(store.dialect).toBe('postgres')
})
