import type { Command } from 'commander'
import { withD1 } from './d1.ts'
import { type DidOptions, readDids, withDids } from './dids.ts'
import { keepHeapSmall } from './heap.ts'
import { interruptSignal } from './interrupt.ts'
import { integer, withConcurrency, withDatabase } from './options.ts'
import { note, print, Reported } from './output.ts'
import { projectOf, withConfig } from './project.ts'

interface Options extends DidOptions {
  readonly db: string
  readonly concurrency: number
  readonly pdsConcurrency: number
  readonly didsPerPds: number
  readonly maxAttempts: number
  readonly retryFailed?: boolean
}

/** `lexidex backfill` */
export function addBackfill(program: Command): void {
  withD1(withDids(withConcurrency(withDatabase(withConfig(program.command('backfill'))))))
    .description('Fetch every record that exists, of every account, and end.')
    .option('--pds-concurrency <n>', 'hosts that are fetched from at a time', integer(1, 1000), 20)
    .option('--dids-per-pds <n>', 'accounts that are fetched at a time from one host', integer(1, 100), 3)
    .option('--max-attempts <n>', 'failures after which an account is given up', integer(1, 100), 10)
    .option('--retry-failed', 'also try again what was given up')
    .addHelpText(
      'after',
      `
Looks for accounts at the relays, then lists their records at their own servers. A run that was cut short
is gone on with by the next; running it again fetches only what is new or failed. Ends with 1 where it was
cut short by Ctrl-C; with --d1 that ends it at once, and nothing that was fetched is lost. With --did or
--from-file no relay is asked, and what had failed is tried again at once.

Examples:
  $ lexidex backfill
  $ lexidex backfill --db data/index.sqlite --concurrency 50
  $ lexidex backfill --from-file accounts.csv
  $ lexidex backfill --d1 --remote`,
    )
    .action(async (options: Options, command: Command) => {
      keepHeapSmall()
      const { openIndex, backfillWithProgress } = await import('./indexer.ts')
      const dids = readDids(options)
      const signal = interruptSignal()
      const index = await openIndex(projectOf(command), options.db)
      try {
        print(await backfillWithProgress(index.indexer, { ...options, dids, signal }))
        if (signal.aborted) {
          note('Cut short; the next run goes on from here.')
          throw new Reported()
        }
      } finally {
        await index.indexer.close()
      }
    })
}
