import { isValidNsid } from '@atproto/syntax'
import { parseRef } from '../input/refs.ts'

/** Documents that a document names. */
export interface References {
  /** By references: it means nothing without them. */
  readonly types: ReadonlySet<string>
  /** By known values, `nsid#token`: documentation, and often of what nobody has published. */
  readonly tokens: ReadonlySet<string>
}

export function referencesOf(doc: { readonly id: string }): References {
  const types = new Set<string>()
  const tokens = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { ref, refs, knownValues } = value as Record<string, unknown>
    for (const name of [ref, refs].flat()) if (typeof name === 'string') types.add(parseRef(name, doc.id).nsid)
    for (const name of [knownValues].flat()) {
      if (typeof name === 'string' && name.includes('#')) tokens.add(parseRef(name, doc.id).nsid)
    }
    for (const child of Object.values(value)) visit(child)
  }
  visit(doc)
  const others = (nsids: ReadonlySet<string>) =>
    new Set([...nsids].filter((nsid) => nsid !== doc.id && isValidNsid(nsid)))
  return { types: others(types), tokens: others(tokens) }
}
