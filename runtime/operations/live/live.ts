import type { RuntimeState } from '../../core/liveness.ts'
import { runAccountChecks } from '../accounts/accounts.ts'
import type { OperationContext } from '../context.ts'
import { asLeader } from '../runs/lead.ts'
import { keepHouse } from './housekeeping.ts'
import { LivenessWatch } from './liveness.ts'
import { openStream } from './stream.ts'
import { Waker } from './waker.ts'

export interface LiveOptions {
  /** Operations per transaction. Default 500. */
  readonly batchSize?: number | undefined
  /** Longest time that an event waits for its transaction, in ms. Default 1000. */
  readonly flushIntervalMs?: number | undefined
  /** Fetches the history of accounts that are new to the stream, and of those that failed, as it falls due. Default true. */
  readonly backfill?: boolean | undefined
  /** Applies what was received, saves the position, and ends. Default: follow for ever. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Follows Jetstream from where it was read to, and reconnects for as long as it takes. The position becomes durable
 * with the rows before it, so whatever ends the process, the next call goes on without loss; what is delivered twice
 * changes nothing.
 *
 * Beside it, accounts are checked as `checkAccounts` says, those that the stream hints at as soon as the hint is durable;
 * history is fetched as it falls due, and deletions of more than 30 days ago are forgotten.
 *
 * Where several processes share the database, one follows, and the others wait to take its place.
 *
 * @param onStart given a view of how it goes, which holds after it has ended as well
 * @throws LexidexError where there is no Jetstream to follow, or where the database does not take the last batch
 */
export async function runPersistent(
  context: OperationContext,
  options: LiveOptions = {},
  onStart?: (state: () => RuntimeState) => void,
): Promise<void> {
  const { signal = new AbortController().signal } = options
  await asLeader(context, 'ingest', signal, (lead) => follow(context, { ...options, signal: lead }, onStart))
}

async function follow(
  context: OperationContext,
  options: LiveOptions & { readonly signal: AbortSignal },
  onStart?: (state: () => RuntimeState) => void,
): Promise<void> {
  const { batchSize = 500, flushIntervalMs = 1000, signal } = options
  const waker = new Waker()
  const { source, applier, from } = await openStream(context, {
    batchSize,
    flushIntervalMs,
    onHint: () => waker.wake(),
  })
  const watch = new LivenessWatch(() => ({ source: source.stats(), applier: applier.stats() }), context)
  watch.start()
  onStart?.(() => watch.view())
  // Also lets go a push that waits for a database that does not answer.
  const stop = () => void applier.close().catch(() => {})
  signal.addEventListener('abort', stop)
  const ended = new AbortController()
  const beside = AbortSignal.any([signal, ended.signal])
  const others = [
    runAccountChecks(context, { signal: beside, waker }),
    keepHouse(context, { signal: beside, backfill: options.backfill }),
  ]
  try {
    for await (const items of source.items({ signal, from })) {
      for (const item of items) {
        if (signal.aborted) break
        const crowded = applier.push(item)
        if (crowded) await crowded
      }
    }
  } finally {
    watch.stop()
    signal.removeEventListener('abort', stop)
    ended.abort()
    await Promise.all(others)
    await applier.close()
  }
}
