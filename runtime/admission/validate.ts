import { jsonToLex, type LexiconDoc, Lexicons } from '@atproto/lexicon'
import type { CollectionDef } from '../core/collection.ts'
import { LexidexError, messageOf } from '../core/errors.ts'
import { blobCheck } from './blobs.ts'
import { relax } from './relax.ts'

/**
 * Why a record is refused; null where it is fine. Never throws.
 *
 * @param text the record's JSON
 */
export type Validate = (record: unknown, text: string) => string | null

/**
 * Compiles the validator of every collection.
 *
 * - `strict`: all that the lexicon says, and `$type`. Sizes and media types of blobs are taken at their authors' word.
 * - `lenient`: structure only (see `relax`); `$type` may be missing but not wrong.
 * - `off`: any JSON object.
 *
 * @throws LexidexError where a collection is to be validated and its lexicon is missing or cannot be read
 */
export function compileValidators(
  collections: readonly CollectionDef[],
  schemas: readonly LexiconDoc[],
): Map<string, Validate> {
  const modes = new Set(collections.map(({ validate }) => validate))
  // `Lexicons` resolves refs in the documents that it is given, so it gets copies.
  const strict = modes.has('strict') ? readLexicons(schemas.map((doc) => structuredClone(doc))) : null
  const lenient = modes.has('lenient') ? readLexicons(schemas.map(relax)) : null
  return new Map(
    collections.map(({ nsid, validate, name }) => {
      const lexicons = validate === 'strict' ? strict : validate === 'lenient' ? lenient : null
      if (lexicons === null) return [nsid, isObjectOnly]
      if (lexicons.getDef(nsid)?.type !== 'record') {
        throw new LexidexError(`There is no record lexicon ${nsid} to validate ${name} with`, {
          hint: `Add the lexicon and generate again, or set validate: 'off' for ${name}.`,
        })
      }
      return [nsid, validator(lexicons, nsid, validate === 'strict')]
    }),
  )
}

function readLexicons(docs: readonly LexiconDoc[]): Lexicons {
  try {
    return new Lexicons(docs)
  } catch (cause) {
    throw new LexidexError(`The lexicons of the app cannot be read: ${messageOf(cause)}`, {
      hint: 'Run `lexidex generate`, which names the document that is at fault.',
      cause,
    })
  }
}

function validator(lexicons: Lexicons, nsid: string, strict: boolean): Validate {
  // Made when there is a record, as all else that a broken lexicon may stand in the way of.
  let checkBlobs: ReturnType<typeof blobCheck> | undefined
  return (record, text) => {
    if (!isObject(record)) return 'Record must be an object'
    const { $type } = record
    if ($type === undefined ? strict : $type !== nsid) return `Record/$type must be ${nsid}`
    try {
      const result = lexicons.validate(
        nsid,
        isPlain(text) ? record : jsonToLex(record as Parameters<typeof jsonToLex>[0]),
      )
      if (!result.success) return result.error.message
      if (!strict) return null
      if (checkBlobs === undefined) checkBlobs = blobCheck(lexicons, nsid)
      return checkBlobs?.(record, 'Record') ?? null
    } catch (error) {
      // Also what a broken lexicon throws (a dangling ref, a cycle): the record waits until it is mended.
      return messageOf(error)
    }
  }
}

/** What stands for something else in JSON, or must not be there: links, bytes, blobs of both forms; `__proto__`. */
const SPECIAL = ['"$link"', '"$bytes"', '"blob"', '"mimeType"', '"__proto__"']

/** Whether a record is the same as JSON and in the form that is validated: to convert it takes as long as to validate it. */
function isPlain(text: string): boolean {
  return !SPECIAL.some((word) => text.includes(word))
}

function isObjectOnly(record: unknown): string | null {
  return isObject(record) ? null : 'Record must be an object'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
