import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { LexiconDoc } from '@atproto/lexicon'
import { LexidexError } from '../../runtime/core/errors.ts'
import { compareText } from '../input/order.ts'
import { type Change, changesBetween } from './changes.ts'
import { cidOf, fileOf, readDirectory, textOf, withoutType } from './documents.ts'
import { type Pin, readManifest, writeManifest } from './manifest.ts'
import { referencesOf } from './references.ts'
import type { Published, Upstream } from './upstream.ts'

export interface PullOptions {
  /** Absolute path of the directory of the documents and their manifest. */
  readonly directory: string
  /** NSIDs, and URLs of services. Empty: everything in the manifest, and `missing`. */
  readonly names: readonly string[]
  /** NSIDs that the config needs and that nobody holds. Default: none. */
  readonly missing?: readonly string[]
  /** NSIDs that other directories and packages of the project hold: references to them are not followed. */
  readonly elsewhere?: ReadonlySet<string>
  /** Whether to follow references. Default true. */
  readonly deps?: boolean
  /** Whether documents are replaced that differ from what is published. Default false: they are reported. */
  readonly update?: boolean
  /** Whether to write files. Default true. */
  readonly write?: boolean
  /** Namespace of the services among `names`, where they do not say it themselves. */
  readonly namespace?: string | undefined
  readonly upstream: Upstream
  /** Told before each lexicon is resolved. */
  readonly onResolve?: (nsid: string) => void
}

/** What became of one lexicon. */
export interface Pulled {
  readonly nsid: string
  /**
   * `added`: it was not there. `changed`: another version is published than the one that is there. `edited`: the
   * version that was pulled is still the published one, and the file was changed since. `same`; `failed`.
   */
  readonly outcome: 'added' | 'changed' | 'edited' | 'same' | 'failed'
  /** What differs from the file to what is published. */
  readonly changes: readonly Change[]
  /** Why it failed. */
  readonly error?: LexidexError
}

export interface PullResult {
  /** Sorted by NSID. */
  readonly pulled: readonly Pulled[]
  /** What services serve and was not taken, with the reason. */
  readonly refused: readonly string[]
}

const AT_A_TIME = 8

/**
 * Brings published lexicons, and those they refer to, into a directory, each pinned by CID in the manifest there. A
 * document that the manifest does not have, and that only references lead to, is the project's own, and stays.
 *
 * @throws LexidexError where the manifest cannot be read, or a service does not answer; nothing is written then
 */
export async function pull(options: PullOptions): Promise<PullResult> {
  const { directory, names, missing = [], elsewhere = new Set(), upstream } = options
  const manifest = readManifest(directory)
  const held = readDirectory(directory)
  const pins: Record<string, Pin> = { ...manifest.resolutions }
  const roots = new Set(manifest.lexicons)
  /** NSIDs that something needs, not only mentions. */
  const needed = new Set<string>()
  const outcomes = new Map<string, Pulled>()
  const files = new Map<string, string>()
  const refused: string[] = []
  const queue: string[] = []

  /** Takes a published document in, where that changes nothing that was there, or is wished. */
  async function take(published: Published): Promise<void> {
    const { doc, uri, cid } = published
    const { id: nsid } = doc
    const there = held.get(nsid)
    const compared = compare(published, pins[nsid], there && { doc: there.doc, cid: await cidOf(there.doc) })
    outcomes.set(nsid, { nsid, ...compared })
    const stays = (compared.outcome === 'changed' || compared.outcome === 'edited') && options.update !== true
    if (!stays) {
      pins[nsid] = { uri, cid }
      if (compared.outcome !== 'same') files.set(there?.file ?? fileOf(directory, nsid), textOf(doc))
    }
    follow(stays && there !== undefined ? there.doc : doc)
  }

  function follow(doc: LexiconDoc): void {
    if (options.deps === false) return
    const { types, tokens } = referencesOf(doc)
    for (const nsid of types) needed.add(nsid)
    queue.push(...[...types, ...tokens].filter((nsid) => !elsewhere.has(nsid)))
  }

  async function pullService(url: string): Promise<void> {
    const served = await upstream.byService(url, options.namespace)
    refused.push(...served.refused)
    for (const published of served.published) {
      roots.add(published.doc.id)
      await take(published)
    }
    // What it served before is not to be looked for elsewhere.
    for (const [nsid, { uri }] of Object.entries(manifest.resolutions)) {
      if (uri !== served.url || outcomes.has(nsid)) continue
      needed.add(nsid)
      fail(nsid, new LexidexError(`${nsid} is not among the lexicons of ${url} any more.`))
    }
  }

  async function pullName(nsid: string): Promise<void> {
    const own = held.get(nsid)
    if (own !== undefined && !(nsid in pins) && !roots.has(nsid)) return follow(own.doc)
    options.onResolve?.(nsid)
    try {
      await take(await upstream.byName(nsid))
    } catch (error) {
      if (!(error instanceof LexidexError)) throw error
      fail(nsid, error)
    }
  }

  function fail(nsid: string, error: LexidexError): void {
    outcomes.set(nsid, { nsid, outcome: 'failed', changes: [], error })
  }

  const again = Object.entries(names.length === 0 ? manifest.resolutions : {})
  const services = again.map(([, { uri }]) => uri).filter((uri) => !isAt(uri))
  for (const name of [...names, ...(names.length === 0 ? missing : [])]) {
    if (name.includes('://')) {
      services.push(name)
    } else {
      roots.add(name)
      queue.push(name)
    }
  }
  queue.push(...again.filter(([, { uri }]) => isAt(uri)).map(([nsid]) => nsid))
  for (const nsid of [...roots, ...queue]) needed.add(nsid)

  for (const service of new Set(services)) await pullService(service)
  const seen = new Set(outcomes.keys())
  for (let batch = nextOf(queue, seen); batch.length > 0; batch = nextOf(queue, seen)) {
    await Promise.all(batch.map(pullName))
  }

  if (options.write ?? true) {
    for (const [file, text] of files) {
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
    writeManifest(directory, { lexicons: [...roots].filter((nsid) => nsid in pins), resolutions: pins })
  }
  // Of a token that nobody has published nothing is missed.
  const pulled = [...outcomes.values()].filter(({ nsid, outcome }) => outcome !== 'failed' || needed.has(nsid))
  return { pulled: pulled.sort((a, b) => compareText(a.nsid, b.nsid)), refused: refused.sort(compareText) }
}

/** Takes the next NSIDs that were not seen yet off the queue. */
function nextOf(queue: string[], seen: Set<string>): string[] {
  const batch: string[] = []
  while (queue.length > 0 && batch.length < AT_A_TIME) {
    const nsid = queue.shift()!
    if (seen.has(nsid)) continue
    seen.add(nsid)
    batch.push(nsid)
  }
  return batch
}

/** How what is published stands to what was pulled and to what is in the file. */
function compare(
  { doc, uri, cid }: Published,
  pin: Pin | undefined,
  there: { readonly doc: LexiconDoc; readonly cid: string } | undefined,
): Pick<Pulled, 'outcome' | 'changes'> {
  // Whoever owns the name now may be another.
  const moved = pin !== undefined && pin.uri !== uri
  const changes: Change[] = moved ? [{ sign: '~', path: 'publisher', text: `${pin.uri} → ${uri}` }] : []
  if (there === undefined) {
    if (!moved && (pin === undefined || pin.cid === cid)) return { outcome: 'added', changes }
    return { outcome: 'changed', changes: [...changes, { sign: '~', path: 'cid', text: `${pin.cid} → ${cid}` }] }
  }
  changes.push(...changesBetween(withoutType(there.doc), withoutType(doc)))
  if (there.cid === cid && !moved) return { outcome: 'same', changes }
  return { outcome: pin?.cid === cid && !moved ? 'edited' : 'changed', changes }
}

function isAt(uri: string): boolean {
  return uri.startsWith('at://')
}
