import type { Command } from 'commander'
import type { IndexerStatus } from '../../runtime/indexer.ts'
import { withD1 } from './d1.ts'
import { withExistingDatabase } from './options.ts'
import { print } from './output.ts'
import { projectOf, withConfig } from './project.ts'

interface Options {
  readonly db: string
  readonly json?: boolean
}

/** `lexidex status` */
export function addStatus(program: Command): void {
  withD1(withExistingDatabase(withConfig(program.command('status'))))
    .description('Show what is in the index, and what is left to do.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Reads the database and nothing else: it works while another process writes, and where none does.

Examples:
  $ lexidex status
  $ lexidex status --json --db data/index.sqlite | jq .checks`,
    )
    .action(async ({ db, json }: Options, command: Command) => {
      const { openToRead } = await import('./indexer.ts')
      const indexer = await openToRead(projectOf(command), db)
      try {
        const { live: _, ...status } = await indexer.status()
        print(json ? JSON.stringify(status, null, 2) : describe(status))
      } finally {
        await indexer.close()
      }
    })
}

function describe(status: IndexerStatus): string {
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['Collections', status.collections.map(({ name, nsid, records }) => `${name}: ${records} records of ${nsid}`)],
    ['Accounts', accounts(status)],
    ['Histories to fetch', histories(status)],
    ['Listings of relays', listings(status)],
    ['Runs', runs(status)],
    [
      'Quarantined',
      status.quarantine.map(({ collection, reason, records }) => `${records} of ${collection}: ${reason}`),
    ],
    ['Stream', [stream(status)]],
  ]
  return sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => [title, ...lines.map((line) => `  ${line}`)].join('\n'))
    .join('\n')
}

function accounts({ hosting, checks }: IndexerStatus): string[] {
  const { due, failing, resync, unresolved, lastError } = checks
  const states = hosting.map(({ status, accounts }) => `${accounts} ${status}`)
  const lines = [states.join(', ') || 'none']
  if (unresolved > 0) lines.push(`${unresolved} not looked up yet`)
  if (due > 0) lines.push(`${due} to be checked`)
  if (resync > 0) lines.push(`${resync} to be compared as a whole`)
  if (failing > 0) lines.push(`${failing} could not be checked, and will be tried again: ${lastError}`)
  return lines
}

function histories({ backfill }: IndexerStatus): string[] {
  return backfill.map(({ collection, completed, pending, retrying, failed, lastError }) => {
    const counts = `${completed} completed, ${pending} pending, ${retrying} to be tried again, ${failed} given up`
    return `${collection}: ${counts}${lastError === null ? '' : `\n    last failure: ${lastError}`}`
  })
}

function listings({ discovery }: IndexerStatus): string[] {
  return discovery.map(({ relay, collection, completed, error }) => {
    const state = completed ? 'complete' : 'not complete'
    return `${relay} ${collection}: ${state}${error === null ? '' : `\n    last failure: ${error}`}`
  })
}

function runs({ runs }: IndexerStatus): string[] {
  return runs.map((run) => {
    const { id, kind, status, reason, didsProcessed, didsTotal, records, errors, errorMessage, startedAt } = run
    const figures = `${didsProcessed} of ${didsTotal} accounts, ${records} records, ${errors} errors`
    const why = [reason, errorMessage].filter((text) => text !== null).map((text) => `\n    ${text}`)
    return `${id} ${kind} ${status}, begun ${new Date(startedAt).toISOString()}: ${figures}${why.join('')}`
  })
}

function stream({ cursor }: IndexerStatus): string {
  return cursor === null ? 'not read yet' : `read up to ${cursor.date}, ${cursor.seconds_ago} s ago`
}
