import type { LexiconDoc } from '@atproto/lexicon'
import type { Command } from 'commander'
import { LexidexError } from '../../runtime/core/errors.ts'
import type { Account } from '../lexicons/account.ts'
import type { PlannedLexicon, PublishPlan } from '../lexicons/publish.ts'
import { confirm } from './confirm.ts'
import { note, print, Reported } from './output.ts'
import { type Project, projectOf, withConfig } from './project.ts'
import { changeAsText } from './pull.ts'

interface Options {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** `lexidex lexicons publish` */
export function addPublish(lexicons: Command): void {
  withConfig(lexicons.command('publish'))
    .description("Publish the lexicons of your methods, and your own records', from an account.")
    .option('--dry-run', 'show what would be written, and write nothing; needs no password')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
Writes a com.atproto.lexicon.schema record for every emitted method lexicon, and for those documents in the
directories of \`lexicons\` that were not pulled and whose authority names the account by DNS. What is published
already stays as it is; nothing is deleted. Says which TXT records are missing for others to find them.

Environment:
  LEXICON_ACCOUNT_IDENTIFIER   handle or DID of the account
  LEXICON_ACCOUNT_PASSWORD     its password; better an app password

Examples:
  $ LEXICON_ACCOUNT_IDENTIFIER=acme.example lexidex lexicons publish --dry-run
  $ lexidex lexicons publish`,
    )
    .action(async ({ dryRun = false, yes = false }: Options, command: Command) => {
      const identifier = fromEnvironment('LEXICON_ACCOUNT_IDENTIFIER', 'the handle or DID of the account')
      const password = dryRun ? '' : fromEnvironment('LEXICON_ACCOUNT_PASSWORD', 'an app password of the account')
      const { findAccount, publishedBy } = await import('../lexicons/account.ts')
      const { planPublish } = await import('../lexicons/publish.ts')
      const { docs, config } = await documentsOf(projectOf(command))
      const account = await findAccount(identifier, config)
      const published = await publishedBy(account)
      const plan = await planPublish({ docs, namespace: config.namespace, did: account.did, published })
      show(plan, account)
      if (plan.skipped.some(({ isOwn }) => isOwn)) {
        throw new LexidexError(`Names below ${config.namespace} belong to another account.`, {
          hint: 'Publish from that one, or change the TXT records.',
        })
      }
      const due = plan.lexicons.filter(({ action }) => action !== 'unchanged')
      if (dryRun || due.length === 0) return
      if (!yes && !(await confirm(`Publish ${due.length} lexicons?`))) {
        note('Nothing was published. --yes publishes without asking.')
        throw new Reported()
      }
      await publish(account, password, due)
    })
}

function fromEnvironment(name: string, what: string): string {
  const value = process.env[name]
  if (value) return value
  throw new LexidexError(`${name} is not set.`, { hint: `Set it to ${what}.` })
}

/** The lexicons of the app's methods, as `generate` writes them, and the project's own that were not pulled. */
async function documentsOf({ root, explicitConfig }: Project) {
  const { findConfig, loadConfig, resolveConfig } = await import('../input/config.ts')
  const { generate } = await import('../generate.ts')
  const { readDirectory } = await import('../lexicons/documents.ts')
  const { readManifest } = await import('../lexicons/manifest.ts')
  const configPath = findConfig(root, explicitConfig)
  const { config } = resolveConfig(await loadConfig(configPath), { root, configPath })
  const { files, drift } = await generate({ root, configPath, write: false })
  const isMethod = (file: string) => file.startsWith('lexicons/') && file.endsWith('.json')
  if ([...drift.missing, ...drift.stale].some(isMethod)) {
    throw new LexidexError('The emitted lexicons are not what config and lexicons describe.', {
      hint: 'Run `npx lexidex generate`, and review what has changed, first.',
    })
  }
  const docs = new Map<string, LexiconDoc>()
  for (const { path, except } of config.lexicons.filter(({ kind }) => kind === 'directory')) {
    const { resolutions } = readManifest(path)
    for (const [nsid, { doc }] of readDirectory(path, except)) if (!(nsid in resolutions)) docs.set(nsid, doc)
  }
  for (const { path, content } of files) {
    if (!isMethod(path)) continue
    const doc = JSON.parse(content) as LexiconDoc
    docs.set(doc.id, doc)
  }
  return { docs: [...docs.values()], config }
}

const SIGNS = { create: '+', update: '~', unchanged: ' ' } as const

function show({ lexicons, skipped, txt }: PublishPlan, { did, handle, pds }: Account): void {
  print(`${handle === null ? did : `${handle} (${did})`} at ${pds}`)
  for (const { doc, action, changes } of lexicons) {
    print([`  ${SIGNS[action]} ${doc.id}`, ...changes.map(changeAsText)].join('\n'))
  }
  const count = (action: PlannedLexicon['action']) => lexicons.filter((one) => one.action === action).length
  print(`${count('create')} to create, ${count('update')} to update, ${count('unchanged')} unchanged`)
  if (skipped.length > 0) {
    print('\nNot to be published from this account:')
    for (const { nsid, reason } of skipped) print(`  ${nsid}: ${reason}`)
  }
  if (txt.length > 0) {
    print('\nTXT records that are missing, without which nobody finds the lexicons:')
    for (const { name, value } of txt) print(`  ${name}  TXT  "${value}"`)
  }
}

async function publish(account: Account, password: string, due: readonly PlannedLexicon[]): Promise<void> {
  const { logIn } = await import('../lexicons/account.ts')
  const session = await logIn(account, password)
  let done = 0
  try {
    for (const { doc, before } of due) {
      await session.put(doc, before)
      done++
      note(`  ${done}/${due.length} ${doc.id}`)
    }
  } finally {
    print(`Published ${done} lexicons.`)
  }
}
