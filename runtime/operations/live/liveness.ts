import type { ApplierStats } from '../../apply/applier.ts'
import type { LiveState, RuntimeState } from '../../core/liveness.ts'
import type { Logger } from '../../core/log.ts'
import type { Clock } from '../../core/time.ts'
import type { JetstreamStats } from '../../sources/jetstream.ts'

export interface LiveStats {
  readonly source: JetstreamStats
  readonly applier: ApplierStats
}

/** ms without a frame, after which a stream is quiet. */
const QUIET_MS = 60_000
/** ms that the age of what arrives may have on a live stream. */
const LAG_MS = 60_000
/** ms without a batch that was taken, or without any sign of the host, after which nothing gets through any more. */
const STUCK_MS = 60_000
/** Hosts of the public network send hundreds of frames a second; one of those is never quiet for so long, in ms. */
const BUSY_PER_SECOND = 1
const BUSY_SILENCE_MS = 5 * 60_000
const TICK_MS = 1000

/** How a live stream is before and after it is followed. */
export const NOT_FOLLOWING: RuntimeState = {
  state: 'disconnected',
  connected: false,
  host: null,
  lastEventAt: null,
  lastFrameUs: null,
  lastHeartbeatAt: null,
  lagMs: null,
}

/** Looks at a live stream every second, and tells the log once of every change of its state. */
export class LivenessWatch {
  readonly #stats: () => LiveStats
  readonly #clock: Clock
  readonly #logger: Logger
  #timer: NodeJS.Timeout | undefined
  #told: LiveState = 'disconnected'
  #lastAppliedAt: number | null = null
  /** Since when batches wait and none is taken, in ms since 1970. */
  #waitingSince: number

  constructor(stats: () => LiveStats, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#stats = stats
    this.#clock = clock
    this.#logger = logger
    this.#waitingSince = clock.now()
  }

  start(): void {
    this.#timer = setInterval(() => this.tick(), TICK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  tick(): void {
    const { applier } = this.#stats()
    if (applier.queued === 0 || applier.lastAppliedAt !== this.#lastAppliedAt) this.#waitingSince = this.#clock.now()
    this.#lastAppliedAt = applier.lastAppliedAt
    this.#tell(this.view())
  }

  view(): RuntimeState {
    const { source } = this.#stats()
    const { host, lastFrameUs, lastHeartbeatAt, lagMs } = source
    const reason = host === null ? null : this.#whyStuck()
    return {
      state: reason === null ? this.#flow(source) : 'stuck',
      ...(reason === null ? {} : { reason }),
      connected: host !== null,
      host,
      lastEventAt: lastFrameUs === null ? null : Math.round(lastFrameUs / 1000),
      lastFrameUs,
      lastHeartbeatAt,
      lagMs,
    }
  }

  /** The state of a stream that is not stuck. */
  #flow(source: JetstreamStats): LiveState {
    if (source.host === null) return 'disconnected'
    if (this.#silence(source) >= QUIET_MS) return 'quiet'
    return (source.lagMs ?? 0) > LAG_MS ? 'catching-up' : 'live'
  }

  #whyStuck(): string | null {
    const { source, applier } = this.#stats()
    const now = this.#clock.now()
    const waiting = now - this.#waitingSince
    if (applier.queued > 0 && waiting >= STUCK_MS) return `the database has taken nothing for ${seconds(waiting)}`
    const unheard = now - (source.lastHeartbeatAt ?? now)
    if (unheard >= STUCK_MS) return `no sign of ${source.host} for ${seconds(unheard)}`
    const silence = this.#silence(source)
    if (silence < BUSY_SILENCE_MS || (source.perSecond ?? 0) < BUSY_PER_SECOND) return null
    return `${source.host} used to send ${Math.round(source.perSecond!)} frames a second, and none for ${seconds(silence)}`
  }

  #silence({ lastFrameAt, connectedAt }: JetstreamStats): number {
    return this.#clock.now() - Math.max(lastFrameAt ?? 0, connectedAt ?? 0)
  }

  #tell({ state, reason, host, lagMs }: RuntimeState): void {
    if (state === this.#told) return
    this.#told = state
    const what = {
      live: `following ${host}`,
      'catching-up': `${seconds(lagMs ?? 0)} behind, at ${host}`,
      quiet: `nothing from ${host} for ${seconds(QUIET_MS)}; it answers`,
      stuck: reason,
      disconnected: 'trying to connect',
    }[state]
    const write = state === 'stuck' || state === 'disconnected' ? 'warn' : 'log'
    this.#logger[write](`jetstream: ${state}: ${what}`)
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
