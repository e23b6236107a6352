import { invalidRequest } from '../../core/errors.ts'

// A cursor is base64url of a JSON array: what it belongs to, then a position. Opaque to clients.

/** Where a page ended. */
export type Position = readonly (string | number | null)[]

/**
 * Fingerprint of what a cursor belongs to: method, order and filters. Not a secret: it tells an honest mistake, and a
 * forged cursor reaches nothing that a request without one would not.
 */
export function fingerprint(text: string): number {
  // FNV-1a
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}

export function encodeCursor(belongsTo: number, position: Position): string {
  const bytes = new TextEncoder().encode(JSON.stringify([belongsTo, ...position]))
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * The position in `cursor`, if it belongs here.
 *
 * @throws {XrpcError} 400 where it is no cursor, or one of another query
 */
export function decodeCursor(belongsTo: number, cursor: string): Position {
  const [hash, ...position] = decode(cursor)
  if (typeof hash !== 'number') throw malformedCursor()
  if (hash !== belongsTo) {
    throw invalidRequest(
      'The cursor belongs to another query. Send it with the filters, sort and order of the page it came with.',
    )
  }
  return position
}

export function malformedCursor() {
  return invalidRequest('The cursor is malformed. Send the one that came with the page before, or none.')
}

function decode(cursor: string): Position {
  let decoded: unknown
  try {
    const binary = atob(cursor.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0))
    decoded = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // Neither base64, UTF-8 nor JSON: nothing that we made.
    throw malformedCursor()
  }
  const isScalar = (value: unknown) => value === null || typeof value === 'string' || typeof value === 'number'
  if (!Array.isArray(decoded) || !decoded.every(isScalar)) throw malformedCursor()
  return decoded
}
