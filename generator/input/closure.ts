import type { LexiconDoc } from '@atproto/lexicon'
import { type Issue, Issues } from './issues.ts'
import { compareText } from './order.ts'
import { parseRef } from './refs.ts'

/** Any definition or property in a lexicon. */
type Schema = { readonly type: string; readonly [key: string]: any }

/**
 * The part of the lexicons that some records reach, with every reference in it leading somewhere.
 *
 * References that dangle are taken out of the copy, each with a warning `dangling-ref`: a property goes, from
 * `required` and `nullable` too; a member of a union goes, and the union is open from then on, since records
 * may hold what nobody here can describe. Tokens that strings name as known values belong to what is reached.
 *
 * @param docs not changed
 * @param recordNsids the roots; those that no document defines are left to the caller
 * @returns documents sorted by NSID, their definitions in the order of the original
 */
export function reachable(
  docs: readonly LexiconDoc[],
  recordNsids: readonly string[],
): { docs: LexiconDoc[]; issues: readonly Issue[] } {
  const closure = new Closure(docs)
  for (const nsid of recordNsids) closure.reach(nsid, 'main')
  closure.run()
  return { docs: closure.trimmed(), issues: closure.issues.list() }
}

class Closure {
  readonly issues = new Issues()
  readonly #docs: ReadonlyMap<string, LexiconDoc>
  /** Trimmed definitions by `nsid#name`; null while they wait in the queue. */
  readonly #reached = new Map<string, Schema | null>()
  readonly #queue: { nsid: string; name: string }[] = []

  constructor(docs: readonly LexiconDoc[]) {
    this.#docs = new Map(docs.map((doc) => [doc.id, doc]))
  }

  reach(nsid: string, name: string): void {
    const key = `${nsid}#${name}`
    if (this.#reached.has(key) || this.#find(nsid, name) === undefined) return
    this.#reached.set(key, null)
    this.#queue.push({ nsid, name })
  }

  run(): void {
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      const key = `${next.nsid}#${next.name}`
      const schema = this.#find(next.nsid, next.name)!
      // Only a list of something that dangles comes to nothing, and such a definition is never reached by a reference.
      this.#reached.set(key, this.#trim(schema, next.nsid, key) ?? schema)
    }
  }

  trimmed(): LexiconDoc[] {
    const docs = [...this.#docs.values()].map((doc) => {
      const names = Object.keys(doc.defs).filter((name) => this.#reached.has(`${doc.id}#${name}`))
      const defs = Object.fromEntries(names.map((name) => [name, this.#reached.get(`${doc.id}#${name}`)]))
      return { ...doc, defs } as LexiconDoc
    })
    return docs.filter((doc) => Object.keys(doc.defs).length > 0).sort((a, b) => compareText(a.id, b.id))
  }

  #find(nsid: string, name: string): Schema | undefined {
    const defs = this.#docs.get(nsid)?.defs
    return defs !== undefined && Object.hasOwn(defs, name) ? (defs[name] as Schema) : undefined
  }

  /** A copy of `schema` in which nothing dangles; undefined where nothing remains. `at` is its path, for issues. */
  #trim(schema: Schema, nsid: string, at: string): Schema | undefined {
    switch (schema.type) {
      case 'ref':
        return this.#follow(schema.ref, nsid, at) ? schema : undefined
      case 'union':
        return this.#trimUnion(schema, nsid, at)
      case 'array': {
        const items = this.#trim(schema.items, nsid, `${at}/items`)
        return items === undefined ? undefined : { ...schema, items }
      }
      case 'record':
        return { ...schema, record: this.#trim(schema.record, nsid, `${at}/record`) }
      case 'object':
        return this.#trimObject(schema, nsid, at)
      case 'string':
        for (const value of [...(schema.knownValues ?? []), ...(schema.enum ?? [])]) this.#followToken(value, nsid)
        return schema
      default:
        return schema
    }
  }

  #trimUnion(schema: Schema, nsid: string, at: string): Schema {
    const refs: string[] = schema.refs ?? []
    const kept = refs.filter((ref, i) => this.#follow(ref, nsid, `${at}/refs/${i}`))
    if (kept.length === refs.length) return schema
    const { closed: _, ...open } = schema
    return { ...open, refs: kept }
  }

  #trimObject(schema: Schema, nsid: string, at: string): Schema {
    const before = Object.entries<Schema>(schema.properties ?? {})
    const after = before.map(
      ([name, property]) => [name, this.#trim(property, nsid, `${at}/properties/${name}`)] as const,
    )
    const gone = new Set(after.filter(([, property]) => property === undefined).map(([name]) => name))
    const properties = Object.fromEntries(after.filter(([name]) => !gone.has(name)))
    const remains = (name: string) => !gone.has(name)
    return {
      ...schema,
      ...(schema.required && { required: schema.required.filter(remains) }),
      ...(schema.nullable && { nullable: schema.nullable.filter(remains) }),
      ...(schema.properties && { properties }),
    }
  }

  /** Reaches what a reference means; false, with a warning, where that is nothing a record can hold. */
  #follow(ref: string, from: string, at: string): boolean {
    const { nsid, name } = parseRef(ref, from)
    const reason = this.#whyUnusable(nsid, name)
    if (reason === undefined) {
      this.reach(nsid, name)
      return true
    }
    this.issues.warn('dangling-ref', at, `\`${ref}\` ${reason}; it is left out.`, {
      hint: this.#docs.has(nsid)
        ? 'Correct the reference.'
        : `Add the document of \`${nsid}\` to one of the \`lexicons\` directories.`,
    })
    return false
  }

  #whyUnusable(nsid: string, name: string, seen: ReadonlySet<Schema> = new Set()): string | undefined {
    const schema = this.#find(nsid, name)
    if (schema === undefined) return this.#docs.has(nsid) ? 'is not defined' : 'is in no lexicon document'
    if (['query', 'procedure', 'subscription', 'permission-set', 'token'].includes(schema.type))
      return `is a ${schema.type}, not a type`
    let items = schema
    while (items.type === 'array') items = items.items
    if (items === schema || items.type !== 'ref' || seen.has(schema)) return undefined
    const target = parseRef(items.ref, nsid)
    const inner = this.#whyUnusable(target.nsid, target.name, new Set([...seen, schema]))
    return inner === undefined ? undefined : `is a list of \`${items.ref}\`, which ${inner}`
  }

  #followToken(value: unknown, from: string): void {
    if (typeof value !== 'string') return
    const { nsid, name } = parseRef(value, from)
    if (this.#find(nsid, name)?.type === 'token') this.reach(nsid, name)
  }
}
