import type { LexiconDoc } from '@atproto/lexicon'
import { parseRef } from '../input/refs.ts'
import type { FieldKind } from './types.ts'

/** Any definition or property in a lexicon. */
export type Schema = { readonly type: string; readonly description?: string; readonly [key: string]: any }

/** Finds definitions by reference. */
export class Definitions {
  readonly #docs: Map<string, LexiconDoc>

  constructor(docs: readonly LexiconDoc[]) {
    this.#docs = new Map(docs.map((doc) => [doc.id, doc]))
  }

  /** The definition that `ref` means inside `nsid`, with the document that holds it; null where it dangles. */
  resolve(ref: string, nsid: string): { schema: Schema; nsid: string } | null {
    const target = parseRef(ref, nsid)
    const schema = this.#docs.get(target.nsid)?.defs[target.name]
    return schema === undefined ? null : { schema: schema as Schema, nsid: target.nsid }
  }

  /** Whether there is a document of `nsid`, whatever it defines. */
  has(nsid: string): boolean {
    return this.#docs.has(nsid)
  }

  /** The record definition of `nsid`; null where there is none. */
  record(nsid: string): Schema | null {
    const main = this.#docs.get(nsid)?.defs.main as Schema | undefined
    return main?.type === 'record' ? main : null
  }

  /** NSIDs of all records. */
  records(): string[] {
    return [...this.#docs.keys()].filter((nsid) => this.record(nsid) !== null)
  }
}

/** What is at the end of a path. */
export interface FieldSchema {
  readonly schema: Schema
  /** The document that holds `schema`; references in it are relative to this one. */
  readonly nsid: string
  /** Of the property, or else of the definition that it refers to. */
  readonly description: string
  /** Whether a valid record may be without it. */
  readonly optional: boolean
}

export type PathProblem =
  /** `segment` is no property of `parent`; `candidates` are. */
  | { problem: 'unknown'; parent: string; segment: string; candidates: string[] }
  /** `parent` has no properties to go into. */
  | { problem: 'opaque'; parent: string; type: string; segment: string }
  /** `parent` refers to a definition that is in no document. */
  | { problem: 'dangling'; parent: string; ref: string }

/** Follows `path` (property names with dots) from the record of `nsid`. */
export function resolvePath(definitions: Definitions, nsid: string, path: string): FieldSchema | PathProblem {
  const record = definitions.record(nsid)
  let at: FieldSchema = {
    schema: (record?.record ?? { type: 'object', properties: {} }) as Schema,
    nsid,
    description: '',
    optional: false,
  }
  let parent = ''
  for (const segment of path.split('.')) {
    if (at.schema.type === 'union' && segment === '$type') {
      const types = (at.schema.refs as string[]).map((ref) => (ref === '#main' ? at.nsid : ref.replace(/#main$/, '')))
      const schema = { type: 'string', knownValues: types }
      return { schema, nsid: at.nsid, description: `Type of \`${parent}\`.`, optional: at.optional }
    }
    if (at.schema.type !== 'object' && at.schema.type !== 'record') {
      return { problem: 'opaque', parent, type: at.schema.type, segment }
    }
    const object: Schema = at.schema.record ?? at.schema
    const properties: Record<string, Schema> = object.properties ?? {}
    if (!Object.hasOwn(properties, segment)) {
      return { problem: 'unknown', parent, segment, candidates: Object.keys(properties) }
    }
    parent = parent === '' ? segment : `${parent}.${segment}`
    const next = follow(definitions, properties[segment]!, at.nsid)
    if (next === null) return { problem: 'dangling', parent, ref: properties[segment]!.ref }
    const isRequired = object.required?.includes(segment) && !object.nullable?.includes(segment)
    at = { ...next, optional: at.optional || !isRequired }
  }
  return at
}

function follow(definitions: Definitions, schema: Schema, nsid: string): Omit<FieldSchema, 'optional'> | null {
  let at = { schema, nsid }
  let description = schema.description ?? ''
  // A reference to a reference is not allowed in lexicons; the bound guards against circular ones all the same.
  for (let depth = 0; at.schema.type === 'ref' && depth < 16; depth++) {
    const target = definitions.resolve(at.schema.ref, at.nsid)
    if (target === null) return null
    at = target
    description ||= at.schema.description ?? ''
  }
  return { ...at, description }
}

/**
 * The column kind that serves a schema; null where none does.
 *
 * @param nsid The document that holds `schema`
 */
export function kindOf(schema: Schema, definitions: Definitions, nsid: string): FieldKind | null {
  switch (schema.type) {
    case 'string':
      return schema.format === 'datetime' ? 'datetime' : 'text'
    case 'integer':
      return 'integer'
    case 'boolean':
      return 'boolean'
    case 'cid-link':
      return 'cid'
    case 'array':
      return itemsOf(schema, definitions, nsid)?.type === 'string' ? 'list' : null
    default:
      return null
  }
}

/** What an array holds; null where it is not known. */
function itemsOf(array: Schema, definitions: Definitions, nsid: string): Schema | null {
  return follow(definitions, array.items, nsid)?.schema ?? null
}

/** Whether words can be looked for in a schema: strings, and arrays of strings. */
export function isSearchable(schema: Schema, definitions: Definitions, nsid: string): boolean {
  if (schema.type === 'string') return schema.format === undefined || schema.format === 'handle'
  return schema.type === 'array' && itemsOf(schema, definitions, nsid)?.type === 'string'
}

/** Values that the lexicon names for a string, in its order and with local references made whole. */
export function knownValues(schema: Schema, nsid: string): string[] {
  // Integers have an enum, too; no group and no hint is made of it.
  if (schema.type !== 'string') return []
  const values: string[] = schema.knownValues ?? schema.enum ?? (schema.const === undefined ? [] : [schema.const])
  return values.map((value) => (value.startsWith('#') ? nsid + value : value))
}

/** A path into a record that columns or searches can use. */
export interface RecordPath {
  readonly path: string
  readonly kind: FieldKind | null
  readonly searchable: boolean
}

/**
 * Every path of a record that something can be done with: those of a column kind, and searchable ones.
 * Goes through objects and references; stops at unions (but for `$type`), arrays and circles.
 */
export function recordPaths(definitions: Definitions, nsid: string): RecordPath[] {
  const paths: RecordPath[] = []
  const visit = (schema: Schema, doc: string, prefix: string, seen: readonly Schema[]): void => {
    const object = (schema.type === 'record' ? schema.record : schema) as Schema
    for (const [name, property] of Object.entries<Schema>(object.properties ?? {})) {
      if (!/^[a-zA-Z0-9_]+$/.test(name)) continue
      const path = prefix + name
      const target = follow(definitions, property, doc)
      if (target === null) continue
      const kind = kindOf(target.schema, definitions, target.nsid)
      const searchable = isSearchable(target.schema, definitions, target.nsid)
      if (kind !== null || searchable) paths.push({ path, kind, searchable })
      else if (target.schema.type === 'union') paths.push({ path: `${path}.$type`, kind: 'text', searchable: false })
      else if ((target.schema.type === 'object' || target.schema.type === 'record') && !seen.includes(target.schema)) {
        visit(target.schema, target.nsid, `${path}.`, [...seen, target.schema])
      }
    }
  }
  const record = definitions.record(nsid)
  if (record !== null) visit(record, nsid, '', [record])
  return paths
}
