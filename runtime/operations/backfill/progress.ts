import { MultiBar, Presets, type SingleBar } from 'cli-progress'
import type { RefreshProgress } from '../refresh/refresh.ts'
import type { BackfillProgress } from './backfill.ts'
import type { DiscoverProgress } from './discover.ts'

/** ms between lines where the stream is no terminal. */
const LINE_MS = 2000

export interface ProgressDisplay {
  discovering(progress: DiscoverProgress): void
  backfilling(progress: BackfillProgress): void
  refreshing(progress: RefreshProgress): void
  /** Shows the last state and leaves the terminal as it was. */
  stop(): void
}

/**
 * Shows how a discovery, a backfill or a refresh goes: as a bar on a terminal, else as a line every 2 s.
 *
 * @param stream default: standard error, so that results can be piped
 *
 * @example
 * const progress = createProgress()
 * try {
 *   await indexer.backfillAll({ onDiscover: progress.discovering, onProgress: progress.backfilling })
 * } finally {
 *   progress.stop()
 * }
 */
export function createProgress(stream: NodeJS.WriteStream = process.stderr): ProgressDisplay {
  return stream.isTTY ? barDisplay(stream) : lineDisplay(stream)
}

function lineDisplay(stream: NodeJS.WritableStream): ProgressDisplay {
  let shownAt = Number.NEGATIVE_INFINITY
  let shown = ''
  let latest = ''
  const write = () => {
    if (latest === shown) return
    stream.write(`${latest}\n`)
    shown = latest
    shownAt = performance.now()
  }
  const tell = (line: string) => {
    latest = line
    if (performance.now() - shownAt >= LINE_MS) write()
  }
  return {
    discovering: (progress) => tell(`discover: ${describeDiscovery(progress)}`),
    backfilling: (progress) => {
      const { accountsDone, accountsTotal } = progress
      tell(`backfill: ${accountsDone} of ${accountsTotal} accounts, ${describeBackfill(progress)}`)
    },
    refreshing: (progress) => {
      const { accountsDone, accountsTotal } = progress
      tell(`refresh: ${accountsDone} of ${accountsTotal} accounts, ${describeRefresh(progress)}`)
    },
    stop: write,
  }
}

function barDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  const bars = new MultiBar(
    {
      stream,
      hideCursor: true,
      clearOnComplete: false,
      fps: 10,
      format: '{phase} {bar} {value}/{total} accounts, {text}',
    },
    Presets.shades_classic,
  )
  let bar: SingleBar | null = null
  let listing: SingleBar | null = null
  return {
    discovering(progress) {
      listing ??= bars.create(0, 0, { text: '' }, { format: 'discover {text}' })
      listing.update({ text: describeDiscovery(progress) })
    },
    backfilling(progress) {
      const { accountsDone, accountsTotal } = progress
      bar ??= bars.create(accountsTotal, 0, { phase: 'backfill', text: '' })
      bar.setTotal(accountsTotal)
      bar.update(accountsDone, { text: describeBackfill(progress) })
    },
    refreshing(progress) {
      const { accountsDone, accountsTotal } = progress
      bar ??= bars.create(accountsTotal, 0, { phase: 'refresh', text: '' })
      bar.setTotal(accountsTotal)
      bar.update(accountsDone, { text: describeRefresh(progress) })
    },
    stop: () => bars.stop(),
  }
}

function describeDiscovery({ relay, collection, listed }: DiscoverProgress): string {
  return `${collection}: ${listed} accounts at ${new URL(relay).host}`
}

function describeBackfill({ records, perSecond, failures, etaMs }: BackfillProgress): string {
  return `${records} records, ${perSecond} a second${describeRest(failures, etaMs)}`
}

function describeRefresh({ total, failures, etaMs }: RefreshProgress): string {
  const { missing, staleUpdates, deleted } = total
  return `${missing} missing, ${staleUpdates} stale, ${deleted} deleted${describeRest(failures, etaMs)}`
}

function describeRest(failures: number, etaMs: number | null): string {
  const failed = failures === 0 ? '' : `, ${failures} failed`
  const left = etaMs === null || etaMs === 0 ? '' : `, ${formatDuration(etaMs)} left`
  return `${failed}${left}`
}

function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}
