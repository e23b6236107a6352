/**
 * Invariant 1: any order, duplication and interleaving of the same events, from any mix of sources and writers, ends in
 * the same rows, counts and search index as one in-order replay.
 */
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Network } from '../../fixtures/network/index.ts'
import { databases, type TestDatabase } from '../storage/databases.ts'
import { Disorder } from './support/disorder.ts'
import { ACCOUNTS } from './support/history.ts'
import {
  type CalendarIndexer,
  emptyNetwork,
  movableClock,
  type OpenOptions,
  openCalendar,
  readUpTo,
  temporaryFolder,
} from './support/index.ts'
import { Crew, script, settle } from './support/script.ts'
import { cases, patience } from './support/settings.ts'
import { expectRecount, truth, visible } from './support/visible.ts'

/** How each account stands, as far as its owner's records are shown and found by it. */
async function accounts({ db }: CalendarIndexer) {
  const rows = await db
    .selectFrom('lexidex_account')
    .select(['did', 'handle', 'pds', 'status'])
    .orderBy('did')
    .execute()
  // Of an account that is gone it does not matter where it was.
  return rows.map((row) => (row.status === 'deleted' ? { ...row, pds: null } : row))
}

async function inOrder(network: Network): Promise<CalendarIndexer> {
  const clock = movableClock()
  const indexer = await openCalendar(network, { clock })
  await readUpTo(network, indexer, 1)
  await indexer.ingest({ quietMs: 80 })
  await settle(network, indexer, clock)
  return indexer
}

/** What two indexers open, and what removes it. */
interface Shared {
  readonly options: OpenOptions
  remove(): void | Promise<void>
}

function sharedFile(): Shared {
  const { folder, remove } = temporaryFolder()
  return { options: { path: join(folder, 'index.sqlite') }, remove }
}

async function sharedIn({ open }: TestDatabase): Promise<Shared> {
  const database = await open()
  return { options: { database }, remove: () => database.drop() }
}

/** SQLite in a file, since two share it. */
const kinds = databases.map((one) => ({
  name: one.name,
  share: () => (one.name === 'sqlite' ? sharedFile() : sharedIn(one)),
  runs: Math.ceil(12 * one.share),
}))

test.each(kinds)(
  'on $name, two indexers that do everything at once, from a stream in disorder, end as one replay in order does',
  async ({ share, runs }) => {
    await fc.assert(
      fc.asyncProperty(script, fc.nat(), async (segments, seed) => {
        const network = await emptyNetwork({ accounts: ACCOUNTS })
        const shared = await share()
        const clock = movableClock()
        const open = () => openCalendar(network, { ...shared.options, clock })
        const [first, second] = [await open(), await open()]
        const crew = new Crew(network, [first, second])
        let reference: CalendarIndexer | undefined
        try {
          await readUpTo(network, first, 1)
          const disorder = new Disorder(network, seed)
          await crew.play(segments)
          crew.follow(seed % 2)
          await disorder.end(first)
          await crew.stopAll()
          await settle(network, second, clock)

          reference = await inOrder(network)
          const expected = await visible(reference)
          expect(await visible(first)).toEqual(expected)
          expect(expected).toMatchObject(truth(network))
          expect(await accounts(second)).toEqual(await accounts(reference))
          for (const indexer of [first, reference]) await expectRecount(indexer)
        } finally {
          await crew.stopAll()
          await Promise.all([first.close(), second.close(), reference?.close()])
          await network.close()
          await shared.remove()
        }
      }),
      cases(runs),
    )
  },
  patience(120_000),
)
