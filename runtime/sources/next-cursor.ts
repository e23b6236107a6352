import { lineOf } from '../core/line.ts'
import { ServiceError } from './service-error.ts'

/** Longest cursor, in UTF-16 code units: it is kept, and sent back in a URL. Hosts state keys and times. */
const LONGEST = 2048

/**
 * Where the next page of a listing begins; null after the last one.
 *
 * @throws ServiceError where it is none that could be kept: the listing has then not come to its end
 */
export function nextCursor(service: string, { cursor }: Readonly<Record<string, any>>): string | null {
  if (cursor === undefined || cursor === null || cursor === '') return null
  if (typeof cursor === 'string' && lineOf(cursor, LONGEST) === cursor) return cursor
  throw ServiceError.unreadable(service, 'a cursor that cannot be kept')
}
