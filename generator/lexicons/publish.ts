import type { LexiconDoc } from '@atproto/lexicon'
import type { TxtLookup } from '../../runtime/identity/handles.ts'
import { compareText } from '../input/order.ts'
import type { LexiconRecord } from './account.ts'
import { authorityOf, resolveAuthority, txtName } from './authority.ts'
import { type Change, changesBetween } from './changes.ts'
import { cidOf, withoutType } from './documents.ts'

/** A lexicon that is to be published. */
export interface PlannedLexicon {
  readonly doc: LexiconDoc
  readonly action: 'create' | 'update' | 'unchanged'
  /** CID of what it replaces. */
  readonly before: string | null
  /** What differs from what is published. */
  readonly changes: readonly Change[]
}

/** One that is not. */
export interface SkippedLexicon {
  readonly nsid: string
  readonly reason: string
  /** Whether it is one of the app's own: then the name is in other hands than the config takes it to be. */
  readonly isOwn: boolean
}

/** A TXT record that is missing, without which nobody finds the lexicons of an authority. */
export interface TxtRecord {
  readonly name: string
  readonly value: string
}

export interface PublishPlan {
  /** Sorted by NSID. */
  readonly lexicons: readonly PlannedLexicon[]
  readonly skipped: readonly SkippedLexicon[]
  readonly txt: readonly TxtRecord[]
}

export interface PlanOptions {
  /** Those of the app's methods, and the project's own others. */
  readonly docs: readonly LexiconDoc[]
  /** Of the app: what is below it is its own, even where DNS does not say so yet. */
  readonly namespace: string
  /** DID of the account. */
  readonly did: string
  /** What the account publishes now, by NSID. */
  readonly published: ReadonlyMap<string, LexiconRecord>
  /** Default: the system's name servers. */
  readonly txt?: TxtLookup | undefined
}

/**
 * What has to be written for the documents to be published by an account: those whose names are its own by DNS, or
 * the app's own and nobody's else.
 *
 * @throws LexidexError where DNS does not answer
 */
export async function planPublish(options: PlanOptions): Promise<PublishPlan> {
  const { namespace, did, published } = options
  const docs = [...options.docs].sort((a, b) => compareText(a.id, b.id))
  const authorities = [...new Set(docs.map(({ id }) => authorityOf(id)))]
  const owners = new Map(
    await Promise.all(
      authorities.map(async (authority) => [authority, await resolveAuthority(authority, options.txt)] as const),
    ),
  )
  const lexicons: PlannedLexicon[] = []
  const skipped: SkippedLexicon[] = []
  const unclaimed = new Set<string>()
  for (const doc of docs) {
    const authority = authorityOf(doc.id)
    const owner = owners.get(authority) ?? null
    const isOwn = doc.id.startsWith(`${namespace}.`)
    if (owner === null && isOwn) unclaimed.add(authority)
    if (owner === did || (owner === null && isOwn)) lexicons.push(await planOne(doc, published.get(doc.id)))
    else {
      const name = txtName(authority)
      const reason = owner === null ? `nobody has claimed ${name}` : `${name} names ${owner}`
      skipped.push({ nsid: doc.id, reason, isOwn })
    }
  }
  const txt = [...unclaimed].sort(compareText).map((name) => ({ name: txtName(name), value: `did=${did}` }))
  return { lexicons, skipped, txt }
}

async function planOne(doc: LexiconDoc, published: LexiconRecord | undefined): Promise<PlannedLexicon> {
  if (published === undefined) return { doc, action: 'create', before: null, changes: [] }
  const { cid: before } = published
  if ((await cidOf(doc)) === before) return { doc, action: 'unchanged', before, changes: [] }
  const changes = changesBetween(withoutType(published.value), withoutType(doc))
  return { doc, action: 'update', before, changes }
}
