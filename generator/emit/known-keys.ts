import {
  type LexiconDoc,
  type LexUserType,
  lexArray,
  lexBlob,
  lexBoolean,
  lexBytes,
  lexCidLink,
  lexInteger,
  lexiconDoc,
  lexObject,
  lexRecord,
  lexString,
  lexToken,
  lexUnknown,
} from '@atproto/lexicon'

/** What a definition may hold, by its type; those of methods are in no record's reach. */
const DEFINITIONS: Readonly<Record<string, { parse(def: unknown): LexUserType }>> = {
  record: lexRecord,
  object: lexObject,
  array: lexArray,
  token: lexToken,
  string: lexString,
  integer: lexInteger,
  boolean: lexBoolean,
  bytes: lexBytes,
  'cid-link': lexCidLink,
  blob: lexBlob,
  unknown: lexUnknown,
}

/**
 * A document with the keys that lexicons have and no others. Publishers leave notes in theirs (`$type`, keys of other
 * tools, limits at a type that has none); lex-cli would copy them into a literal whose type refuses them.
 */
export function knownKeysOnly(doc: LexiconDoc): LexiconDoc {
  const defs = Object.entries(doc.defs).map(([name, def]) => [name, knownKeys(def)])
  return { ...lexiconDoc.parse(doc), defs: Object.fromEntries(defs) }
}

function knownKeys(def: LexUserType): LexUserType {
  return DEFINITIONS[def.type]?.parse(def) ?? def
}
