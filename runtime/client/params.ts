import { LexidexError } from '../core/errors.ts'

/**
 * Parameters as a query string. `undefined` is left out, an array becomes one parameter per item, a
 * Date its ISO text.
 *
 * @throws {LexidexError} on a value that no parameter can hold
 */
export function encodeParams(params: object): URLSearchParams {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) search.append(name, encodeValue(name, item))
    }
  }
  return search
}

function encodeValue(name: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (isDate(value) && !Number.isNaN(value.getTime())) return value.toISOString()
  throw new LexidexError(`Parameter ${name} is ${value}, which cannot be sent.`, {
    hint: 'Parameters are strings, finite numbers, booleans, valid dates, or arrays of these; leave out what is not set.',
  })
}

// Not `instanceof`: a Date of another frame has another constructor.
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]'
}
