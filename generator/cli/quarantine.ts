import type { Command } from 'commander'
import { LexidexError } from '../../runtime/core/errors.ts'
import type { QuarantinedRecord, RetryQuarantineOptions } from '../../runtime/operations/quarantine/quarantine.ts'
import { withD1 } from './d1.ts'
import { integer, withDatabase, withExistingDatabase } from './options.ts'
import { note, print } from './output.ts'
import { projectOf, withConfig } from './project.ts'

interface Which {
  readonly db: string
  readonly collection?: string
  readonly uri?: string
  readonly json?: boolean
}

interface ListOptions extends Which {
  readonly limit: number
  readonly after?: string
}

interface RetryOptions extends Which {
  readonly all?: boolean
}

/** `lexidex quarantine list` and `lexidex quarantine retry` */
export function addQuarantine(program: Command): void {
  const quarantine = program
    .command('quarantine')
    .description('Look at records that were refused, and try them again.')
    .addHelpText(
      'after',
      `
A record that breaks its lexicon, or that cannot be stored, is neither shown nor lost: its latest version is
kept with the reason. After the lexicon was mended, or \`validate\` relaxed, \`retry\` takes it in.

Examples:
  $ lexidex quarantine list --collection event
  $ lexidex quarantine list --uri at://did:plc:…/com.example.event/3k… --json
  $ lexidex quarantine retry --all`,
    )
  addList(quarantine)
  addRetry(quarantine)
}

function withWhich(command: Command): Command {
  return withConfig(command)
    .option('--collection <name>', 'of one collection: its short name or NSID')
    .option('--uri <uri>', 'one record')
    .option('--json', 'print JSON')
}

function addList(quarantine: Command): void {
  withD1(withWhich(withExistingDatabase(quarantine.command('list'))))
    .description('List refused records with the reasons.')
    .option('--limit <n>', 'records at most', integer(1, 10_000), 50)
    .option('--after <uri>', 'go on after this one')
    .action(async ({ db, json, ...options }: ListOptions, command: Command) => {
      const { openToRead } = await import('./indexer.ts')
      const indexer = await openToRead(projectOf(command), db)
      try {
        const records = await indexer.listQuarantine(options)
        if (json) print(JSON.stringify(records.map(asJson), null, 2))
        else if (records.length === 0) print('Nothing is quarantined.')
        else for (const record of records) print(asText(record))
        if (records.length === options.limit) note(`There may be more: --after ${records.at(-1)!.uri}`)
      } finally {
        await indexer.close()
      }
    })
}

function addRetry(quarantine: Command): void {
  withD1(withWhich(withDatabase(quarantine.command('retry'))))
    .description('Take refused records through validation again. Nothing is fetched.')
    .option('--all', 'all of them')
    .action(async (options: RetryOptions, command: Command) => {
      const which = whichOf(options)
      const { openIndex } = await import('./indexer.ts')
      const { indexer } = await openIndex(projectOf(command), options.db)
      try {
        const result = await indexer.retryQuarantine(which)
        const { retried, applied, stillRefused } = result
        if (options.json) print(JSON.stringify(result))
        else print(`Tried ${retried} again: ${applied} indexed, ${stillRefused} still refused.`)
      } finally {
        await indexer.close()
      }
    })
}

function whichOf({ uri, collection, all }: RetryOptions): RetryQuarantineOptions {
  if (uri !== undefined) return { uri }
  if (collection !== undefined) return { collection }
  if (all) return { all }
  throw new LexidexError('Which records?', { hint: 'Say --uri, --collection or --all.' })
}

function asText({ uri, reason, rev, quarantinedAt }: QuarantinedRecord): string {
  return `${uri}\n  ${reason}\n  rev ${rev}, refused ${new Date(quarantinedAt).toISOString()}`
}

function asJson({ record, quarantinedAt, ...rest }: QuarantinedRecord) {
  return { ...rest, quarantinedAt: new Date(quarantinedAt).toISOString(), record: JSON.parse(record) }
}
