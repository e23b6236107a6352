import type { Command } from 'commander'
import { formatRefresh } from '../../runtime/operations/refresh/refresh-report.ts'
import { withD1 } from './d1.ts'
import { type DidOptions, readDids, withDid } from './dids.ts'
import { keepHeapSmall } from './heap.ts'
import { interruptSignal } from './interrupt.ts'
import { integer, withDatabase } from './options.ts'
import { logToStderr, note, print, Reported } from './output.ts'
import { projectOf, withConfig } from './project.ts'

interface Options extends DidOptions {
  readonly db: string
  readonly byCollection?: boolean
  readonly ignoreWindow: number
  readonly concurrency: number
}

/** `lexidex refresh` */
export function addRefresh(program: Command): void {
  withD1(withDid(withDatabase(withConfig(program.command('refresh')))))
    .description('Compare every known account with what is stored, make them the same, and end.')
    .option('--by-collection', 'also report each collection')
    .option('--ignore-window <seconds>', 'rows as new as this do not count as stale', integer(0, 1e9), 60)
    .option('--concurrency <n>', 'accounts that are compared at a time', integer(1, 1000), 50)
    .addHelpText(
      'after',
      `
For after an outage, or to be sure: fetches whole repos, stores what is missing or was changed, and deletes what
a complete repo has no more. Accounts that have written nothing since they were last compared are skipped, so it
may be run again at any time, beside \`start\` too, and after Ctrl-C. Ends with 1 where it was cut short.

Examples:
  $ lexidex refresh
  $ lexidex refresh --by-collection --ignore-window 30
  $ lexidex refresh --did did:plc:abc,did:plc:def`,
    )
    .action(async (options: Options, command: Command) => {
      keepHeapSmall()
      logToStderr()
      const { openIndex, refreshWithProgress } = await import('./indexer.ts')
      const dids = readDids(options)
      const signal = interruptSignal()
      const { indexer } = await openIndex(projectOf(command), options.db)
      try {
        const result = await refreshWithProgress(indexer, {
          ignoreWindowMs: options.ignoreWindow * 1000,
          concurrency: options.concurrency,
          dids,
          signal,
        })
        print(formatRefresh(result, options))
        if (signal.aborted) {
          note('Cut short; the next run skips what is done.')
          throw new Reported()
        }
      } finally {
        await indexer.close()
      }
    })
}
