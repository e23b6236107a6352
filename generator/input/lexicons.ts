import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { type LexiconDoc, parseLexiconDoc } from '@atproto/lexicon'
import { isValidNsid } from '@atproto/syntax'
import { type Problem, type Reading, readLexicon } from './document.ts'
import { type Issue, Issues } from './issues.ts'
import { compareText } from './order.ts'
import { parseRef } from './refs.ts'
import type { LexiconSource } from './sources.ts'
import { jsonFiles } from './walk.ts'

/**
 * Reads every lexicon document of the sources. Documents that `needed` reaches and the sources do not hold
 * are taken from those that come with lexidex.
 *
 * What cannot be read is an error where `needed` reaches it, and else a warning; so are two different
 * documents of one NSID, which are always an error while nothing is known to be needed.
 *
 * @param sources from the resolved config, in order
 * @param options.needed NSIDs of the records to index
 * @returns documents sorted by NSID, each as it is in its file
 */
export async function loadLexicons(
  sources: readonly LexiconSource[],
  { needed }: { needed?: readonly string[] } = {},
): Promise<{ docs: LexiconDoc[]; issues: readonly Issue[] }> {
  const library = new Library()
  for (const source of sources) {
    for (const file of jsonFiles(source)) {
      const name = `${source.name === '.' ? '' : `${source.name}/`}${path.relative(source.path, file).replaceAll(path.sep, '/')}`
      library.add(name, readLexicon(readFileSync(file, 'utf8'), path.basename(file)), source.kind)
    }
  }
  const reached = library.addBundled(needed ?? [])
  return { docs: library.docs(), issues: library.report(needed === undefined ? undefined : reached).list() }
}

class Library {
  readonly #issues = new Issues()
  readonly #docs = new Map<string, { doc: LexiconDoc; file: string }>()
  /** Files with a document that cannot be used, by NSID. */
  readonly #unusable = new Map<string, { file: string; problem: Problem }[]>()
  readonly #duplicates: { nsid: string; first: string; second: string }[] = []

  docs(): LexiconDoc[] {
    return [...this.#docs.values()].map(({ doc }) => doc).sort((a, b) => compareText(a.id, b.id))
  }

  add(file: string, reading: Reading, kind: LexiconSource['kind']): void {
    if (reading.kind === 'document') this.#addDocument(file, reading.doc)
    else if (reading.kind === 'problem') {
      const key = reading.nsid ?? ''
      this.#unusable.set(key, [...(this.#unusable.get(key) ?? []), { file, problem: reading }])
    } else if (kind === 'directory' && !reading.expected) {
      // Packages hold JSON of every kind; a directory that is named for its lexicons should not.
      this.#issues.warn('not-a-lexicon', file, 'This JSON file is no lexicon: it has no key `lexicon`.', {
        hint: 'Move it elsewhere, or correct it.',
      })
    }
  }

  #addDocument(file: string, doc: LexiconDoc): void {
    const known = this.#docs.get(doc.id)
    if (known === undefined) this.#docs.set(doc.id, { doc, file })
    else if (!isDeepStrictEqual(known.doc, doc))
      this.#duplicates.push({ nsid: doc.id, first: known.file, second: file })
  }

  /**
   * Follows references from `needed`, through what is there, and adds what is bundled.
   *
   * @returns NSIDs that were named on the way, found or not
   */
  addBundled(needed: readonly string[]): Set<string> {
    const reached = new Set<string>()
    const queue = [...needed]
    for (let nsid = queue.pop(); nsid !== undefined; nsid = queue.pop()) {
      if (reached.has(nsid)) continue
      reached.add(nsid)
      const doc = this.#docs.get(nsid)?.doc ?? this.#bundled(nsid)
      if (doc !== undefined) queue.push(...referencedNsids(doc, doc.id))
    }
    return reached
  }

  #bundled(nsid: string): LexiconDoc | undefined {
    // An unusable copy of the project's own is reported; another one in its place would hide that.
    if (this.#unusable.has(nsid) || !isValidNsid(nsid)) return undefined
    const file = path.join(bundledDirectory(), `${nsid.replaceAll('.', path.sep)}.json`)
    if (!existsSync(file)) return undefined
    const doc = parseLexiconDoc(JSON.parse(readFileSync(file, 'utf8')))
    this.#docs.set(nsid, { doc, file: `lexidex/lexicons/${nsid}` })
    return doc
  }

  /** @param reached where known: the NSIDs that matter */
  report(reached: ReadonlySet<string> | undefined): Issues {
    for (const [nsid, files] of this.#unusable) {
      const severity = reached?.has(nsid) ? 'error' : 'warn'
      for (const { file, problem } of files)
        this.#issues[severity](problem.code, file, problem.message, { hint: problem.hint })
    }
    for (const { nsid, first, second } of this.#duplicates) {
      const severity = reached === undefined || reached.has(nsid) ? 'error' : 'warn'
      this.#issues[severity]('duplicate-lexicon', nsid, `Two different documents: ${first} and ${second}.`, {
        hint: 'Remove one of them.',
      })
    }
    return this.#issues
  }
}

/** `lexicons/` of this package: two levels up from the source, three from `dist/`. */
function bundledDirectory(): string {
  const candidates = ['../../lexicons', '../../../lexicons'].map((up) => fileURLToPath(new URL(up, import.meta.url)))
  return candidates.find((directory) => existsSync(directory)) ?? candidates[0]!
}

/** NSIDs of the documents that a document names in references and known values. */
function* referencedNsids(value: unknown, nsid: string): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  const { ref, refs, knownValues } = value as Record<string, unknown>
  for (const name of [ref, refs, knownValues].flat()) {
    if (typeof name === 'string') yield parseRef(name, nsid).nsid
  }
  for (const child of Object.values(value)) yield* referencedNsids(child, nsid)
}
