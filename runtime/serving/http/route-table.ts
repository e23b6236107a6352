import { XrpcError } from '../../core/errors.ts'
import type { Route } from '../../core/route.ts'

/** Longest body that is read, in bytes. */
const MAX_BODY = 64 * 1024

/** What is at one path: a route per method. */
export interface FoundRoutes {
  readonly methods: ReadonlyMap<string, Route>
  /** What stood in place of `{name}`. */
  readonly named: Readonly<Record<string, string>>
}

export interface RouteTable {
  find(path: string): FoundRoutes | null
}

/** @throws TypeError where two routes are the same */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const byPath = new Map<string, Map<string, Route>>()
  for (const route of routes) {
    const methods = byPath.get(route.path) ?? new Map<string, Route>()
    if (methods.has(route.method)) throw new TypeError(`Two routes are ${route.method} ${route.path}`)
    byPath.set(route.path, methods.set(route.method, route))
  }
  const patterns = [...byPath].map(([path, methods]) => ({ segments: path.split('/'), methods }))
  return {
    find(path) {
      const exact = byPath.get(path)
      if (exact !== undefined) return { methods: exact, named: {} }
      const segments = path.split('/')
      for (const { segments: pattern, methods } of patterns) {
        const named = match(pattern, segments)
        if (named !== null) return { methods, named }
      }
      return null
    },
  }
}

/** Methods that a path answers, for `allow`. */
export function allowedBy({ methods }: FoundRoutes): string {
  const names = [...methods.keys()].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method))
  return [...names, 'OPTIONS'].join(', ')
}

/** @throws XrpcError 413 where it is longer than 64 kB */
export async function readBody(chunks: AsyncIterable<Uint8Array> | null): Promise<string> {
  if (chunks === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.byteLength
    if (bytes > MAX_BODY) throw new XrpcError(413, 'PayloadTooLarge', `The body is longer than ${MAX_BODY} bytes.`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null
  const named: Record<string, string> = {}
  for (const [i, wanted] of pattern.entries()) {
    const found = segments[i]!
    if (wanted.startsWith('{') && found !== '') named[wanted.slice(1, -1)] = decoded(found)
    else if (wanted !== found) return null
  }
  return named
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    // Not what was meant by anyone; the route refuses it by its own rules.
    return segment
  }
}
