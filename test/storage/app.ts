import { dialects } from '../../generator/dialects/registry.ts'
import type { SchemaPlan } from '../../generator/plan/types.ts'
import { type CollectionDef, defineCollection, strings, text } from '../../runtime/core/collection.ts'
import type {
  AccountOperation,
  ColumnValue,
  DeleteOperation,
  Operation,
  PutOperation,
  QuarantineOperation,
} from '../../runtime/core/operation.ts'
import { makeTid } from '../../runtime/core/tid.ts'
import type { Migration } from '../../runtime/storage/store.ts'

/** A small app that has one of everything a store must get right. */
export const meetup = defineCollection<any>()({
  name: 'meetup',
  nsid: 'test.lexidex.meetup',
  table: 'meetup',
  searchTable: 'meetup_search',
  time: (r) => r.createdAt,
  columns: {
    mode: text((r) => r.mode),
    seats: { kind: 'integer', read: (r) => r.seats },
    tags: strings('meetup_tags_values', (r) => r.tags),
  },
  counts: {
    rsvpsCount: 'rsvps_count',
    rsvpsGoingCount: 'rsvps_going_count',
    rsvpsMaybeCount: 'rsvps_maybe_count',
    guestsCount: 'guests_count',
  },
  relations: {
    rsvps: {
      collection: 'rsvp',
      column: 'subject_uri',
      match: 'uri',
      groups: { column: 'status', values: { going: 'going', maybe: 'maybe' } },
    },
    guests: { collection: 'rsvp', column: 'subject_uri', match: 'uri' },
  },
  references: {},
  validate: 'off',
  discover: true,
})

export const rsvp = defineCollection<any>()({
  name: 'rsvp',
  nsid: 'test.lexidex.rsvp',
  table: 'rsvp',
  columns: {
    guest: text((r) => r.guest),
    status: text((r) => r.status),
    subject_uri: text((r) => r.subject?.uri),
  },
  counts: {},
  relations: {},
  references: { meetup: { collection: 'meetup', column: 'subject_uri', match: 'uri' } },
  validate: 'off',
  discover: true,
})

/** Dependent: kept only of accounts that are known through a meetup or rsvp. */
export const profile = defineCollection<any>()({
  name: 'profile',
  nsid: 'test.lexidex.profile',
  table: 'profile',
  columns: {},
  counts: { followersCount: 'followers_count' },
  relations: { followers: { collection: 'follow', column: 'subject', match: 'did' } },
  references: {},
  validate: 'off',
  discover: false,
})

/** Dependent, and only about known accounts. */
export const follow = defineCollection<any>()({
  name: 'follow',
  nsid: 'test.lexidex.follow',
  table: 'follow',
  columns: { subject: text((r) => r.subject) },
  counts: {},
  relations: {},
  references: {},
  validate: 'off',
  discover: false,
  subjectColumn: 'subject',
})

/** About known accounts, by the at-uri of a record of theirs. */
export const like = defineCollection<any>()({
  name: 'like',
  nsid: 'test.lexidex.like',
  table: 'like',
  columns: { subject_uri: text((r) => r.subject?.uri) },
  counts: {},
  relations: {},
  references: {},
  validate: 'off',
  discover: true,
  subjectColumn: 'subject_uri',
})

export const collections: readonly CollectionDef[] = [follow, like, meetup, profile, rsvp]

const plan: SchemaPlan = {
  authors: true,
  tables: [
    table(follow, [{ name: 'subject', type: 'text' }], [], [['subject', 'sort_at', 'uri']]),
    table(like, [{ name: 'subject_uri', type: 'text' }], [], []),
    {
      ...table(
        meetup,
        [
          { name: 'mode', type: 'text' },
          { name: 'seats', type: 'integer' },
          { name: 'tags', type: 'text' },
        ],
        ['rsvps_count', 'rsvps_going_count', 'rsvps_maybe_count', 'guests_count'],
        [['did', 'sort_at', 'uri']],
      ),
      lists: [{ table: 'meetup_tags_values', column: 'tags', serves: ['tests'] }],
      search: { table: 'meetup_search', columns: [{ name: 'title', segments: ['title'] }] },
    },
    table(profile, [], ['followers_count'], [['did', 'sort_at', 'uri']]),
    table(
      rsvp,
      [
        { name: 'guest', type: 'text' },
        { name: 'status', type: 'text' },
        { name: 'subject_uri', type: 'text' },
      ],
      [],
      [
        ['subject_uri', 'status', 'sort_at', 'uri'],
        ['subject_uri', 'guest'],
      ],
    ),
  ],
  counters: [
    {
      name: 'meetup_rsvps',
      relation: 'rsvps',
      parent: 'meetup',
      child: 'rsvp',
      column: 'subject_uri',
      match: 'uri',
      groupColumn: 'status',
      distinct: null,
      counts: [
        { column: 'rsvps_count', group: null },
        { column: 'rsvps_going_count', group: 'going' },
        { column: 'rsvps_maybe_count', group: 'maybe' },
      ],
    },
    {
      name: 'meetup_guests',
      relation: 'guests',
      parent: 'meetup',
      child: 'rsvp',
      column: 'subject_uri',
      match: 'uri',
      groupColumn: null,
      distinct: 'guest',
      counts: [{ column: 'guests_count', group: null }],
    },
    {
      name: 'profile_followers',
      relation: 'followers',
      parent: 'profile',
      child: 'follow',
      column: 'subject',
      match: 'did',
      groupColumn: null,
      distinct: null,
      counts: [{ column: 'followers_count', group: null }],
    },
  ],
}

function table(
  { table: name, nsid }: CollectionDef,
  columns: SchemaPlan['tables'][number]['columns'],
  counts: readonly string[],
  indexes: readonly (readonly string[])[],
): SchemaPlan['tables'][number] {
  const named = indexes.map((index) => ({
    name: `${name}_by_${index[0]}_${index[1]}`,
    columns: index,
    serves: ['tests'],
  }))
  return { name, nsid, columns, counts, indexes: named, lists: [], search: null }
}

/**
 * The app's first migration, as the generator writes it for a database.
 *
 * @param partitions of each table; default none
 */
export function initOf(dialect: keyof typeof dialects, partitions?: number): Migration {
  const tables = plan.tables.map((table) => ({ ...table, ...(partitions === undefined ? {} : { partitions }) }))
  const statements = dialects[dialect].createSchema({ ...plan, tables })
  return { name: '0001_init', statements: statements.map(({ sql }) => sql) }
}

/** The n-th rev, and a time in µs that goes with it. */
export const rev = (n: number): string => makeTid(START_US + n * 1_000_000)
export const START_US = Date.UTC(2026, 0, 1) * 1000
export const NOW = Date.UTC(2026, 5, 1)

export const did = (name: string): string => `did:plc:${name}`

export interface PutInput {
  readonly collection: CollectionDef
  readonly did?: string
  readonly rkey?: string
  readonly rev: number
  readonly record?: Record<string, unknown>
  readonly indexedAt?: number
  readonly sortAt?: number
  /** Of the first columns; default: what they read of the record. */
  readonly values?: readonly ColumnValue[]
  readonly retry?: boolean
}

export function uriOf(collection: CollectionDef, author = did('alice'), rkey = 'one'): string {
  return `at://${author}/${collection.nsid}/${rkey}`
}

/** A put as admission would make it, without what these tests do not look at. */
export function put(input: PutInput): PutOperation {
  const { collection, did: author = did('alice'), rkey = 'one', record = {} } = input
  return {
    op: 'put',
    collection,
    uri: uriOf(collection, author, rkey),
    did: author,
    rkey,
    cid: `bafy${input.rev}`,
    rev: rev(input.rev),
    indexedAt: input.indexedAt ?? NOW * 1000 + input.rev,
    sortAt: input.sortAt ?? START_US + input.rev,
    values: Object.values(collection.columns).map(({ read }, i) => {
      const value = input.values === undefined ? read(record) : input.values[i]
      return Array.isArray(value) ? JSON.stringify(value) : ((value as ColumnValue | undefined) ?? null)
    }),
    record: JSON.stringify(record),
    ...(input.retry === undefined ? {} : { retry: input.retry }),
  }
}

type KeyInput = Pick<PutInput, 'collection' | 'did' | 'rkey' | 'rev'>

export function del({ collection, did: author = did('alice'), rkey, rev: n }: KeyInput): DeleteOperation {
  return { op: 'delete', collection, uri: uriOf(collection, author, rkey), did: author, rev: rev(n) }
}

export function refuse(input: KeyInput & { reason?: string }): QuarantineOperation {
  const { collection, did: author = did('alice'), rkey, rev: n, reason = 'Record/mode must be a string' } = input
  return {
    op: 'quarantine',
    collection,
    uri: uriOf(collection, author, rkey),
    did: author,
    rev: rev(n),
    cid: `bafy${n}`,
    reason,
    record: '{"mode":1}',
  }
}

/** What was found out of an account. */
export function settle(account: string, status: string, changes: Partial<AccountOperation> = {}): AccountOperation {
  return { op: 'account', did: account, status, handle: null, pds: 'https://pds.test', ...changes }
}

export function batchOf(...operations: readonly Operation[]) {
  return { operations, positions: [], now: NOW }
}
