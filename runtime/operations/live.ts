import { type ApplierStats, createApplier, type HintEvent } from '../apply/applier.ts'
import { createJetstream, type JetstreamStats } from '../sources/jetstream.ts'
import type { OperationContext } from './context.ts'
import { anchorPosition, loadPosition } from './position.ts'

export interface LiveOptions {
  /** Operations per transaction. Default 500. */
  readonly batchSize?: number | undefined
  /** Longest time that an event waits for its transaction, in ms. Default 1000. */
  readonly flushIntervalMs?: number | undefined
  /** Applies what was received, saves the position, and ends. Default: follow for ever. */
  readonly signal?: AbortSignal | undefined
}

export interface LiveStats {
  readonly source: JetstreamStats
  readonly applier: ApplierStats
}

/**
 * Follows Jetstream from where it was read to, and reconnects for as long as it takes. The position becomes durable
 * with the rows before it, so whatever ends the process, the next call goes on without loss; what is delivered twice
 * changes nothing.
 *
 * @param onStart given a view of the figures while it runs
 * @throws LexidexError where there is no Jetstream to follow, or where the database does not take the last batch
 */
export async function runPersistent(
  context: OperationContext,
  options: LiveOptions = {},
  onStart?: (stats: () => LiveStats) => void,
): Promise<void> {
  const { collections, jetstreams, store, admission, clock, logger, resolver } = context
  const { batchSize = 500, flushIntervalMs = 1000, signal = new AbortController().signal } = options
  const source = createJetstream({ urls: jetstreams, collections: collections.map(({ nsid }) => nsid), logger, clock })
  // So that whoever lists meanwhile and whoever follows agree on where the stream begins.
  await anchorPosition(context)
  const from = await loadPosition(context)
  const onHint = ({ kind, did }: HintEvent) => {
    if (kind !== 'sync') resolver.forget(did)
  }
  const applier = createApplier({ store, admission, batchSize, flushIntervalMs, clock, logger, onHint })
  onStart?.(() => ({ source: source.stats(), applier: applier.stats() }))
  // Also lets go a push that waits for a database that does not answer.
  const stop = () => void applier.close().catch(() => {})
  signal.addEventListener('abort', stop)
  try {
    for await (const items of source.items({ signal, from })) {
      for (const item of items) {
        if (signal.aborted) break
        const crowded = applier.push(item)
        if (crowded) await crowded
      }
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await applier.close()
  }
}
