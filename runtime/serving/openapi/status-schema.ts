import { list, NUMBER, object, oneOf, orNull, TEXT } from './plain-operation.ts'

/** How far the stream has been read. */
export const CURSOR_VIEW = object({ time_us: NUMBER, date: TEXT, seconds_ago: NUMBER })

const YES_OR_NO = { type: 'boolean' }

const LIVE = object(
  {
    state: oneOf('live', 'catching-up', 'quiet', 'stuck', 'disconnected'),
    reason: TEXT,
    connected: YES_OR_NO,
    host: orNull('string'),
    lastEventAt: orNull('integer'),
    lastFrameUs: orNull('integer'),
    lastHeartbeatAt: orNull('integer'),
    lagMs: orNull('integer'),
  },
  ['reason'],
)

/** What an index does besides serving; a router by itself has none of it. */
const OPERATIONS = {
  discovery: list(object({ relay: TEXT, collection: TEXT, completed: YES_OR_NO, error: orNull('string') })),
  backfill: list(
    object({
      collection: TEXT,
      completed: NUMBER,
      pending: NUMBER,
      retrying: NUMBER,
      failed: NUMBER,
      lastError: orNull('string'),
    }),
  ),
  bulkLoad: YES_OR_NO,
  hosting: list(object({ status: TEXT, accounts: NUMBER })),
  checks: object({
    due: NUMBER,
    failing: NUMBER,
    resync: NUMBER,
    unresolved: NUMBER,
    lastError: orNull('string'),
  }),
  quarantine: list(object({ collection: TEXT, reason: TEXT, records: NUMBER })),
  runs: list(
    object({
      id: NUMBER,
      kind: oneOf('catch_up', 'full_sync', 'refresh'),
      status: oneOf('in_progress', 'completed', 'failed'),
      reason: orNull('string'),
      didsTotal: NUMBER,
      didsProcessed: NUMBER,
      records: NUMBER,
      errors: NUMBER,
      errorMessage: orNull('string'),
      startedAt: NUMBER,
      completedAt: orNull('integer'),
    }),
  ),
}

/** What `/status` answers. */
export const STATUS = object(
  {
    status: { const: 'ok' },
    collections: list(object({ name: TEXT, nsid: TEXT, records: NUMBER })),
    accounts: NUMBER,
    jobs: object({ pending: NUMBER, completed: NUMBER, failed: NUMBER }),
    quarantined: NUMBER,
    cursor: { anyOf: [CURSOR_VIEW, { type: 'null' }] },
    live: LIVE,
    ...OPERATIONS,
  },
  ['live', ...Object.keys(OPERATIONS)],
)
