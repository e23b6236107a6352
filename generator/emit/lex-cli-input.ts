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
  const defs = mapValues(doc.defs, (def) => DEFINITIONS[def.type]?.parse(def) ?? def)
  return { ...lexiconDoc.parse(doc), defs }
}

/**
 * A document that lex-cli can write types for. It puts descriptions into comments and names in front of colons as they
 * are; strangers write lexicons, and what they write must not become code.
 */
export function forTypes(doc: LexiconDoc): LexiconDoc {
  return { ...doc, defs: mapValues(doc.defs, forType) as LexiconDoc['defs'] }
}

type Schema = { readonly type: string; readonly [key: string]: any }

function forType(schema: Schema): Schema {
  const { description, record, items, properties, required, nullable, refs } = schema
  return {
    ...schema,
    // Nothing fits a closed union without members, and lex-cli writes no type for it.
    ...(refs?.length === 0 && { closed: false }),
    ...(description && { description: description.replace(/\r\n?/g, '\n').replaceAll('*/', '*\u200b/') }),
    ...(record && { record: forType(record) }),
    ...(items && { items: forType(items) }),
    ...(properties && { properties: mapValues(properties, forType, propertyName) }),
    ...(required && { required: required.map(propertyName) }),
    ...(nullable && { nullable: nullable.map(propertyName) }),
  }
}

function propertyName(name: string): string {
  return /^[a-zA-Z_$][a-zA-Z0-9_$]*$/.test(name) ? name : JSON.stringify(name)
}

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  map: (value: A) => B,
  rename: (key: string) => string = (key) => key,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [rename(key), map(value)]))
}
