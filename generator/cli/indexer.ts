import type { IndexerOptions } from '../../runtime/indexer.ts'
import { createProgress } from '../../runtime/operations/progress.ts'
import { type Emitted, loadEmitted } from './emitted.ts'
import { note } from './output.ts'
import { display, type Project } from './project.ts'

type Indexer = ReturnType<Emitted['createIndexer']>

/** An index that is open and migrated. */
export interface OpenIndex {
  readonly indexer: Indexer
  readonly serve: Emitted['serve']
}

/** Opens the index of a project on a database file, and migrates it. */
export async function openIndex(project: Project, database: string, options: IndexerOptions = {}): Promise<OpenIndex> {
  const { createIndexer, createSqliteStore, serve } = await loadEmitted(project)
  const store = createSqliteStore(database)
  const indexer = createIndexer(store, options)
  try {
    const applied = await indexer.migrate()
    if (applied.length > 0) note(`${display(database)}: applied ${applied.join(', ')}`)
  } catch (error) {
    await indexer.close()
    throw error
  }
  return { indexer, serve }
}

/** Discovers and backfills, and shows how it goes. Returns a line on what was done. */
export async function backfillWithProgress(
  indexer: Indexer,
  options: { concurrency: number; retryFailed?: boolean; signal: AbortSignal },
): Promise<string> {
  const progress = createProgress()
  try {
    const {
      discovered,
      failed: cutShort,
      backfilled,
    } = await indexer.backfillAll({
      ...options,
      onDiscover: progress.discovering,
      onProgress: progress.backfilling,
    })
    const { completed, failed, records, retrying, elapsedMs } = backfilled
    const parts = [`${records} records`, `${discovered} new accounts`, `${completed} listings completed`]
    if (retrying > 0) parts.push(`${retrying} to be tried again`)
    if (failed > 0) parts.push(`${failed} given up`)
    if (cutShort.length > 0) parts.push(`${cutShort.length} relay listings cut short`)
    return `Backfill: ${parts.join(', ')}, in ${Math.round(elapsedMs / 1000)} s.`
  } finally {
    progress.stop()
  }
}
