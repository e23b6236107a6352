import { type Applier, createApplier, type HintEvent } from '../../apply/applier.ts'
import type { Position } from '../../core/events.ts'
import { createJetstream, type JetstreamSource } from '../../sources/jetstream.ts'
import type { OperationContext } from '../context.ts'
import { beginAt } from './position.ts'

export interface StreamOptions {
  readonly batchSize: number
  readonly flushIntervalMs: number
  readonly pingIntervalMs?: number | undefined
  readonly pongTimeoutMs?: number | undefined
  /** Told when hints about accounts have become durable. */
  readonly onHint?: (() => void) | undefined
}

/** Jetstream, where to follow it from, and what its events go into. */
export interface Stream {
  readonly source: JetstreamSource
  readonly applier: Applier
  readonly from: Position
}

/** @throws LexidexError where there is no Jetstream to follow */
export async function openStream(context: OperationContext, options: StreamOptions): Promise<Stream> {
  const { collections, jetstreams, store, admission, clock, logger, resolver, zstdDictionary } = context
  const { batchSize, flushIntervalMs, pingIntervalMs, pongTimeoutMs } = options
  const nsids = collections.map(({ nsid }) => nsid)
  const pings = { pingIntervalMs, pongTimeoutMs }
  const source = createJetstream({ urls: jetstreams, collections: nsids, logger, clock, zstdDictionary, ...pings })
  const from = await beginAt(context)
  const onHint = ({ kind, did }: HintEvent) => {
    if (kind !== 'sync') resolver.forget(did)
    options.onHint?.()
  }
  return {
    source,
    from,
    applier: createApplier({ store, admission, batchSize, flushIntervalMs, clock, logger, onHint }),
  }
}
