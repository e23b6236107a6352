import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { cidForLex, type LexValue } from '@atproto/lex-cbor'
import type { LexiconDoc } from '@atproto/lexicon'
import { readLexicon } from '../input/document.ts'
import { jsonFiles } from '../input/walk.ts'

/** NSID of the records that lexicons are published as. */
export const SCHEMA = 'com.atproto.lexicon.schema'

/** A lexicon document in a file. */
export interface HeldLexicon {
  /** Absolute path. */
  readonly file: string
  readonly doc: LexiconDoc
}

/**
 * The valid lexicon documents below a directory, by NSID; of two documents of one NSID the first.
 *
 * @param except directory below that is left out
 */
export function readDirectory(directory: string, except?: string): Map<string, HeldLexicon> {
  const held = new Map<string, HeldLexicon>()
  if (!existsSync(directory)) return held
  for (const file of jsonFiles({ kind: 'directory', name: '', path: directory, ...(except && { except }) })) {
    const reading = readLexicon(readFileSync(file, 'utf8'), path.basename(file))
    if (reading.kind === 'document' && !held.has(reading.doc.id)) held.set(reading.doc.id, { file, doc: reading.doc })
  }
  return held
}

/** Where the document of an NSID is put: its segments as directories. */
export function fileOf(directory: string, nsid: string): string {
  return `${path.join(directory, ...nsid.split('.'))}.json`
}

/** The record that publishes a document. */
export function recordOf(doc: LexiconDoc): Record<string, unknown> {
  return { $type: SCHEMA, ...withoutType(doc) }
}

/** CID of that record: the same for the same document, however its file is laid out. */
export async function cidOf(doc: LexiconDoc): Promise<string> {
  return (await cidForLex(recordOf(doc) as LexValue)).toString()
}

/** A published document without what makes it a record. */
export function withoutType<T extends object>(doc: T): T {
  const { $type: _, ...rest } = doc as T & { $type?: unknown }
  return rest as T
}

/**
 * The text of a document's file. Records come with their keys by length, which nobody reads: what names a thing is
 * put first again.
 */
export function textOf(doc: LexiconDoc): string {
  return `${JSON.stringify(inOrder(withoutType(doc)), null, 2)}\n`
}

const FIRST = ['lexicon', 'id', 'revision', 'main', 'type', 'description', 'key', 'required', 'nullable', 'properties']

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const rank = (key: string) => (FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length)
  entries.sort(([a], [b]) => rank(a) - rank(b))
  return Object.fromEntries(entries.map(([key, child]) => [key, inOrder(child)]))
}
