import type pg from 'pg'
import type { ClaimedJob, Leadership, SharedWork } from '../store.ts'
import { once } from './connection.ts'

/** Names the advisory locks on rights: "lxle". */
const RIGHTS = 0x6c786c65

/** ms between two looks whether the session lives, and how long an answer may take. */
const LOOK_MS = 5000
const ANSWER_MS = 10_000

/** Binds: now, limit, until. */
const CLAIM = `UPDATE lexidex_job AS job SET claimed_until = $3::bigint
FROM (
  SELECT did, collection FROM lexidex_job
  WHERE status = 'pending' AND due_at <= $1::bigint AND (claimed_until IS NULL OR claimed_until < $1::bigint)
  ORDER BY due_at, did, collection LIMIT $2::bigint FOR UPDATE SKIP LOCKED
) AS free
WHERE job.did = free.did AND job.collection = free.collection
RETURNING job.did, job.collection, job.cursor, job.rev, job.records, job.attempts, job.due_at, job.last_error`

/** Rights and claims of the processes that share a database. */
export function sharedWork(pool: pg.Pool): SharedWork {
  return {
    lead: (name) => lead(pool, name),
    async claimJobs(limit, now, until) {
      const { rows } = await pool.query(once(CLAIM, [now, limit, until]))
      return rows as ClaimedJob[]
    },
  }
}

/** Held by a session, which the server ends with the process, or when the network between them is gone. */
async function lead(pool: pg.Pool, name: string): Promise<Leadership | null> {
  const session = await pool.connect()
  let taken = false
  try {
    const { rows } = await session.query('SELECT pg_try_advisory_lock($1, hashtext($2)) AS taken', [RIGHTS, name])
    taken = rows[0].taken
    if (taken)
      await session.query('SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 2')
  } catch (error) {
    session.release(true)
    throw error
  }
  if (!taken) {
    session.release()
    return null
  }
  return keep(session)
}

function keep(session: pg.PoolClient): Leadership {
  const lost = new AbortController()
  const lose = () => {
    clearInterval(looking)
    lost.abort()
  }
  let answered = Date.now()
  let asking = false
  const looking = setInterval(async () => {
    if (Date.now() - answered > LOOK_MS + ANSWER_MS) return lose()
    if (asking) return
    asking = true
    try {
      await session.query('SELECT 1')
      answered = Date.now()
    } catch {
      lose()
    }
    asking = false
  }, LOOK_MS)
  looking.unref()
  session.on('error', lose)
  session.on('end', lose)
  let released = false
  return {
    lost: lost.signal,
    async release() {
      if (released) return
      released = true
      clearInterval(looking)
      // With its session: what is not let go of would stay with the pool.
      session.release(true)
    },
  }
}
