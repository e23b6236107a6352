/** Read by tsc only. Queries of a config: what their handlers are given, and what the client makes of them. */
import { defineConfig, defineListQuery, defineQuery, z } from 'lexidex'
import type { QueryParams, QueryResult } from 'lexidex/client'
import type { Database } from '../../fixtures/apps/calendar/src/lexidex/tables.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Expect<T extends true> = T

const config = defineConfig({
  namespace: 'com.example',
  collections: {
    event: {
      collection: 'community.lexicon.calendar.event',
      queries: {
        modes: defineQuery<Database>()({
          params: z.object({ since: z.iso.datetime().optional(), least: z.number().default(1) }),
          handler: async ({ db, params }) => {
            params.since satisfies string | undefined
            params.least satisfies number
            // @ts-expect-error no such parameter
            params.until
            const rows = await db.selectFrom('event').select(['mode', 'starts_at']).execute()
            return { modes: rows.map(({ mode }) => mode) }
          },
        }),
        plain: defineQuery<Database>()({
          handler: ({ params }) => {
            params.anything satisfies string | readonly string[] | undefined
            return { one: 1 }
          },
        }),
        page: defineQuery<Database>()({ handler: async () => new Response('<p>') }),
        short: async ({ db }) => ({ rows: await db.selectFrom('event').selectAll().execute() }),
        wrong: defineQuery<Database>()({
          // @ts-expect-error no such table
          handler: ({ db }) => ({ rows: db.selectFrom('evnt') }),
        }),
      },
      pipelineQueries: {
        soon: defineListQuery<Database, 'event'>()({
          params: z.object({ days: z.number().int() }),
          handler: ({ params }) => {
            params.days satisfies number
            return (events) => events.where('event.starts_at', '<', params.days).where('mode', 'is not', null)
          },
        }),
        joined: defineListQuery<Database, 'event'>()({
          handler: async () => (events) => events.innerJoin('rsvp', 'rsvp.subject_uri', 'event.uri'),
        }),
        wrong: defineListQuery<Database, 'event'>()({
          // @ts-expect-error no such column
          handler: () => (events) => events.where('event.begins_at', '=', 1),
        }),
      },
    },
    rsvp: {
      collection: 'community.lexicon.calendar.rsvp',
      queries: { stats: defineQuery<Database>()({ handler: () => ({ total: 5 as number }) }) },
    },
    other: { collection: 'com.example.other' },
  },
})

type C = typeof config
export type Inferred = [
  Expect<Equal<QueryParams<C, 'event', 'modes'>, { since?: string | undefined; least?: number | undefined }>>,
  Expect<Equal<QueryResult<C, 'event', 'modes'>, { modes: (string | null)[] }>>,
  Expect<Equal<QueryResult<C, 'event', 'plain'>, { one: number }>>,
  Expect<Equal<QueryResult<C, 'event', 'page'>, unknown>>,
  Expect<Equal<QueryResult<C, 'rsvp', 'stats'>, { total: number }>>,
  Expect<Equal<QueryParams<C, 'event', 'soon'>, { days: number }>>,
]
export type Open = [
  QueryParams<C, 'event', 'joined'>,
  QueryParams<C, 'event', 'plain'>,
  QueryResult<C, 'event', 'short'>,
]
