import type { Command } from 'commander'
import { interruptSignal } from './interrupt.ts'
import { withConcurrency, withDatabase } from './options.ts'
import { note, print, Reported } from './output.ts'
import { projectOf, withConfig } from './project.ts'

interface Options {
  readonly db: string
  readonly concurrency: number
  readonly retryFailed?: boolean
}

/** `lexidex backfill` */
export function addBackfill(program: Command): void {
  withConcurrency(withDatabase(withConfig(program.command('backfill'))))
    .description('Fetch every record that exists, of every account, and end.')
    .option('--retry-failed', 'also try again what was given up')
    .addHelpText(
      'after',
      `
Looks for accounts at the relays, then lists their records at their own servers. A run that was cut short
is gone on with by the next; running it again fetches only what is new or failed. Ends with 1 where it was
cut short by Ctrl-C.

Examples:
  $ lexidex backfill
  $ lexidex backfill --db data/index.sqlite --concurrency 50`,
    )
    .action(async (options: Options, command: Command) => {
      const { openIndex, backfillWithProgress } = await import('./indexer.ts')
      const signal = interruptSignal()
      const index = await openIndex(projectOf(command), options.db)
      try {
        print(await backfillWithProgress(index.indexer, { ...options, signal }))
        if (signal.aborted) {
          note('Cut short; the next run goes on from here.')
          throw new Reported()
        }
      } finally {
        await index.indexer.close()
      }
    })
}
