import type { Lexicons } from '@atproto/lexicon'

/** What is wrong with a blob somewhere below a value; null where nothing is. `path` is that of the value. */
type Check = (value: unknown, path: string) => string | null

type Schema = Readonly<Record<string, any>>

/**
 * Looks whether the blobs of a record have the media types and sizes that its lexicon allows: what their authors say
 * of them, that is; nobody fetches them. The validator of lexicons leaves that to whoever has the bytes.
 *
 * @returns null where the lexicon limits no blob
 */
export function blobCheck(lexicons: Lexicons, nsid: string): Check | null {
  const checks = new Map<string, Check | null>()

  function ofDef(uri: string): Check | null {
    const known = checks.get(uri)
    if (known !== undefined) return known
    // Definitions may lead back to themselves: until it is known what is in this one, it may hold blobs.
    let made: Check | null = null
    checks.set(uri, (value, path) => made?.(value, path) ?? null)
    made = ofSchema((lexicons.getDef(uri) ?? {}) as Schema)
    checks.set(uri, made)
    return made
  }

  function ofSchema(schema: Schema): Check | null {
    switch (schema.type) {
      case 'record':
        return ofSchema(schema.record)
      case 'object':
        return ofProperties(schema.properties ?? {})
      case 'array':
        return ofItems(ofSchema(schema.items))
      case 'ref':
        return ofDef(schema.ref)
      case 'union':
        return ofUnion(schema.refs)
      case 'blob':
        return ofBlob(schema)
      default:
        return null
    }
  }

  function ofUnion(refs: readonly string[]): Check | null {
    const members = new Map(refs.flatMap((ref) => [[typeOf(ref), ofDef(ref)] as const]))
    if ([...members.values()].every((check) => check === null)) return null
    return (value, path) => (isObject(value) ? (members.get(typeOf(String(value.$type)))?.(value, path) ?? null) : null)
  }

  function ofProperties(properties: Schema): Check | null {
    const checked = Object.entries(properties).flatMap(([name, schema]) => {
      const check = ofSchema(schema)
      return check === null ? [] : [{ name, check }]
    })
    if (checked.length === 0) return null
    return (value, path) => {
      if (!isObject(value)) return null
      for (const { name, check } of checked) {
        const problem = check(value[name], `${path}/${name}`)
        if (problem !== null) return problem
      }
      return null
    }
  }

  return ofDef(nsid)
}

function ofItems(check: Check | null): Check | null {
  if (check === null) return null
  return (value, path) => {
    if (!Array.isArray(value)) return null
    for (const [i, item] of value.entries()) {
      const problem = check(item, `${path}/${i}`)
      if (problem !== null) return problem
    }
    return null
  }
}

function ofBlob({ accept, maxSize }: Schema): Check | null {
  if (accept === undefined && maxSize === undefined) return null
  return (value, path) => {
    if (!isObject(value)) return null
    const { mimeType, size } = value
    if (accept !== undefined && !accept.some((pattern: string) => matches(pattern, String(mimeType)))) {
      return `${path} must be ${accept.join(' or ')}, not ${mimeType}`
    }
    // Blobs of the protocol's first form state none.
    if (maxSize !== undefined && typeof size === 'number' && size > maxSize) {
      return `${path} must not be larger than ${maxSize} bytes`
    }
    return null
  }
}

/** `image/*` matches every image, and so does the whole of what comes before any `*`. */
function matches(pattern: string, mimeType: string): boolean {
  const star = pattern.indexOf('*')
  return star < 0 ? pattern === mimeType : mimeType.startsWith(pattern.slice(0, star))
}

/** `$type` of what a ref leads to, however it is written. */
function typeOf(ref: string): string {
  return ref.replace(/^lex:/, '').replace(/#main$/, '')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
