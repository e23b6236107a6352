import { isValidNsid } from '@atproto/syntax'
import { type Command, InvalidArgumentError } from 'commander'
import { LexidexError } from '../../runtime/core/errors.ts'
import type { Change } from '../lexicons/changes.ts'
import type { Pulled, PullResult } from '../lexicons/pull.ts'
import { interruptSignal } from './interrupt.ts'
import { note, print, Reported } from './output.ts'
import { display, projectOf, withConfig } from './project.ts'

interface Options {
  readonly out?: string
  readonly deps: boolean
  readonly check?: boolean
  readonly update?: boolean
  readonly namespace?: string
  readonly allowHost?: readonly string[]
}

/** `lexidex lexicons pull` */
export function addPull(lexicons: Command): void {
  withConfig(lexicons.command('pull'))
    .description('Fetch published lexicons, and those they refer to, into the lexicons directory.')
    .argument('[names...]', 'NSIDs, and URLs of services that serve theirs', collectNames)
    .option('--check', 'write nothing; end with 1 where something differs from what is published')
    .option('--update', 'take changed versions, over edits of yours too')
    .option('--no-deps', 'leave out what they refer to')
    .option('--out <directory>', "directory to write to (default: the config's first, else lexicons)")
    .option('--namespace <domain>', 'namespace of a service that does not say it')
    .option('--allow-host <host>', 'fetch from it over http and at a private address; may be repeated', collect)
    .addHelpText(
      'after',
      `
An NSID leads over DNS (\`_lexicon.<authority>\`) to the account that publishes it, and to a record there whose proof
is verified. Each document is pinned by CID in lexicons.json beside them. One that has changed since is shown with
its differences, and taken by --update. Without names: everything that is pinned, and the records of the config that
no directory holds.

Examples:
  $ lexidex lexicons pull community.lexicon.calendar.event
  $ lexidex lexicons pull https://index.example.com
  $ lexidex lexicons pull --check
  $ lexidex lexicons pull --update && lexidex generate`,
    )
    .action(async (names: readonly string[], options: Options, command: Command) => {
      const { lexiconProject } = await import('./lexicon-project.ts')
      const { pull } = await import('../lexicons/pull.ts')
      const { createUpstream } = await import('../lexicons/upstream.ts')
      const project = await lexiconProject(projectOf(command), options.out)
      const { directory, plc } = project
      const allowHosts = [...project.allowHosts, ...(options.allowHost ?? [])]
      const signal = interruptSignal()
      const upstream = createUpstream({ plc, allowHosts, signal })
      const result = await pull({
        ...project,
        names,
        upstream,
        deps: options.deps,
        update: options.update === true,
        write: options.check !== true,
        namespace: options.namespace,
        onResolve: showProgress,
      })
        .catch((error) => {
          if (!signal.aborted) throw error
          throw new LexidexError('Stopped; nothing was written.', { hint: 'Run it again.' })
        })
        .finally(() => {
          clearProgress()
          upstream.close()
        })
      if (result.pulled.length === 0) throw nothingToPull(directory)
      report(result, directory, options)
    })
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function collectNames(value: string, before: readonly string[] = []): readonly string[] {
  if (value.includes('://') ? URL.canParse(value) : isValidNsid(value)) return [...before, value]
  throw new InvalidArgumentError('It must be an NSID, such as com.example.event, or the URL of a service.')
}

function nothingToPull(directory: string): LexidexError {
  return new LexidexError(`Nothing was pulled into ${display(directory)} before.`, {
    hint: 'Name what to pull: `lexidex lexicons pull community.lexicon.calendar.event`.',
  })
}

function report({ pulled, refused }: PullResult, directory: string, { check, update }: Options): void {
  for (const one of pulled) if (one.outcome !== 'same') print(asText(one))
  for (const reason of refused) note(`  not taken from the service: ${reason}`)
  const count = (outcome: Pulled['outcome']) => pulled.filter((one) => one.outcome === outcome).length
  const [added, changed, edited, same, failed] = (['added', 'changed', 'edited', 'same', 'failed'] as const).map(count)
  const totals = [
    [added, check ? 'not there' : 'added'],
    [changed, update && !check ? 'updated' : 'changed upstream'],
    [edited, update && !check ? 'put back' : 'edited here'],
    [same, 'unchanged'],
    [failed, 'failed'],
  ].filter(([n]) => n !== 0)
  print(`${display(directory)}: ${totals.map(([n, what]) => `${n} ${what}`).join(', ')}`)
  const differs = changed! + edited! > 0
  if (differs && !update) note('`lexidex lexicons pull --update` takes the published versions.')
  if (failed! > 0 || (differs && !(update && !check)) || (check && added! > 0)) throw new Reported()
}

const SIGNS = { added: '+', changed: '~', edited: '~', same: ' ', failed: '!' } as const

function asText({ nsid, outcome, changes, error }: Pulled): string {
  const lines = [`  ${SIGNS[outcome]} ${nsid}`]
  if (outcome === 'edited') lines[0] += '  (edited here)'
  if (error !== undefined) lines.push(`      ${error.message}`)
  if (error?.hint !== undefined) lines.push(`      hint: ${error.hint}`)
  return [...lines, ...changes.map(changeAsText)].join('\n')
}

export function changeAsText({ sign, path, text }: Change): string {
  return `      ${sign} ${path}: ${text}`
}

/** One line that is overwritten, on a terminal only. */
function showProgress(nsid: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[KResolving ${nsid} …`)
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}
