import { existsSync } from 'node:fs'
import { LexidexError } from '../../runtime/core/errors.ts'
import type { IndexerOptions } from '../../runtime/indexer.ts'
import type { BackfillOptions, BackfillResult } from '../../runtime/operations/backfill/backfill.ts'
import { createProgress, type ProgressDisplay } from '../../runtime/operations/backfill/progress.ts'
import type { RefreshOptions, RefreshResult } from '../../runtime/operations/refresh/refresh.ts'
import type { PerformOptions, PrepareOptions } from '../../runtime/operations/runs/runs.ts'
import { readD1 } from './d1.ts'
import { type Emitted, loadEmitted, type OpenStoreOptions } from './emitted.ts'
import { note } from './output.ts'
import { display, isUrl, type Project } from './project.ts'

export type Indexer = ReturnType<Emitted['createIndexer']>

/** An index that is open and migrated. */
export interface OpenIndex {
  readonly indexer: Indexer
  readonly serve: Emitted['serve']
}

/** Opens the index of a project on a database, by file or URL, and migrates it. */
export async function openIndex(
  project: Project,
  database: string,
  options: IndexerOptions = {},
  storeOptions: OpenStoreOptions = {},
): Promise<OpenIndex> {
  const { createIndexer, openStore, serve } = await loadEmitted(project)
  const store = await openStore(database, storeOptions)
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

/**
 * Opens an index that exists already, to look at it: nothing is written, and another process may be writing.
 *
 * @throws LexidexError where there is none, or it is not migrated
 */
export async function openToRead(project: Project, database: string): Promise<Indexer> {
  // What a project lacks comes first: in a wrong directory, the database is not what is missing.
  const { createIndexer, openStore } = await loadEmitted(project)
  if (readD1(database) === null && !isUrl(database) && !existsSync(database)) {
    throw new LexidexError(`${display(database)} does not exist.`, {
      hint: 'Name the database with --db, or make one with `lexidex start` or `lexidex backfill`.',
    })
  }
  const indexer = createIndexer(await openStore(database, { readonly: true }))
  try {
    await indexer.migrate()
  } catch (error) {
    await indexer.close()
    throw error
  }
  return indexer
}

/** Discovers and backfills, or backfills the accounts that are named, and shows how it goes. Returns a line on what was done. */
export async function backfillWithProgress(
  indexer: Indexer,
  options: BackfillOptions & { readonly signal: AbortSignal },
): Promise<string> {
  const progress = createProgress()
  try {
    const { discovered, cutShort, backfilled } = await backfillAllOrSome(indexer, options, progress)
    return describe(discovered, cutShort.length, backfilled)
  } finally {
    progress.stop()
  }
}

/** Backfills where that is due, and shows how it goes. Returns a line on what was done. */
export async function backfillWhereDue(indexer: Indexer, options: PrepareOptions & PerformOptions): Promise<string> {
  const progress = createProgress()
  const { discovering: onDiscover, backfilling: onProgress } = progress
  try {
    const outcome = await indexer.performBackfill({ ...options, onDiscover, onProgress })
    if (!('backfilled' in outcome)) return `Backfill: not needed (${outcome.reason}).`
    const { discovered, failed } = outcome.discovered
    return describe(discovered, failed.length, outcome.backfilled)
  } finally {
    progress.stop()
  }
}

function describe(discovered: number, cutShort: number, backfilled: BackfillResult): string {
  const { completed, failed, records, retrying, elapsedMs } = backfilled
  const parts = [`${records} records`, `${discovered} new accounts`, `${completed} listings completed`]
  if (retrying > 0) parts.push(`${retrying} to be tried again`)
  if (failed > 0) parts.push(`${failed} given up`)
  if (cutShort > 0) parts.push(`${cutShort} relay listings cut short`)
  return `Backfill: ${parts.join(', ')}, in ${Math.round(elapsedMs / 1000)} s.`
}

async function backfillAllOrSome(indexer: Indexer, options: BackfillOptions, progress: ProgressDisplay) {
  const { discovering: onDiscover, backfilling: onProgress } = progress
  if (options.dids !== undefined) {
    return { discovered: 0, cutShort: [], backfilled: await indexer.backfill({ ...options, onProgress }) }
  }
  const { failed: cutShort, ...rest } = await indexer.backfillAll({ ...options, onDiscover, onProgress })
  return { cutShort, ...rest }
}

/** Refreshes, and shows how it goes. */
export async function refreshWithProgress(indexer: Indexer, options: RefreshOptions): Promise<RefreshResult> {
  const progress = createProgress()
  try {
    return await indexer.refresh({ ...options, onProgress: progress.refreshing })
  } finally {
    progress.stop()
  }
}
