import { z } from 'zod'
import { isDid, isHandle, parseAtUri } from '../../core/at-uri.ts'
import { invalidRequest } from '../../core/errors.ts'
import { parseDatetime } from '../../core/time.ts'
import type { Filter } from './filters.ts'

// The building blocks of emitted parameter schemas. Each takes the text of a query string; a parameter that was given
// more than once comes as an array.

/** Raw parameters: the text of each, or an array where one was repeated. */
export type RawParams = Record<string, string | string[]>

/** Most values of a repeated parameter. */
export const MAX_VALUES = 100

const INTEGER = /^-?\d+$/
const ACTOR = 'a DID or a handle'

/** A schema of text that `read` understands; undefined from `read` is an error that names what was `expected`. */
function read<T>(expected: string, read: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = read(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: `must be ${expected}` })
    return z.NEVER
  })
}

function readInteger(text: string): number | undefined {
  const value = Number(text)
  return INTEGER.test(text) && Number.isSafeInteger(value) ? value : undefined
}

function readBoolean(text: string): boolean | undefined {
  if (text === 'true' || text === '1') return true
  return text === 'false' || text === '0' ? false : undefined
}

/** An integer that JavaScript holds exactly. */
export function integerParam() {
  return read('an integer', readInteger).optional()
}

/** `true`, `1`, `false` or `0`, as columns store it: 1 or 0. */
export function booleanParam() {
  return read('true or false', (text): 0 | 1 | undefined => {
    const value = readBoolean(text)
    return value === undefined ? undefined : value ? 1 : 0
  }).optional()
}

/** ISO 8601 with a time zone, as µs since 1970. */
export function datetimeParam() {
  // No datetime holds a space: it is the "+" of a time zone that was sent unencoded.
  return read(
    'a datetime with a time zone, such as 2026-05-01T18:00:00Z',
    (text) => parseDatetime(text.replace(' ', '+')) ?? undefined,
  ).optional()
}

/** A lower bound for a count: 0 or more. */
export function count() {
  return read('an integer of 0 or more', (text) => {
    const value = readInteger(text)
    return value === undefined || value < 0 ? undefined : value
  }).optional()
}

/** `true`, `1`, `false` or `0`. */
export function flag() {
  return read('true or false', readBoolean).optional()
}

/** How a text begins: 1 to 1000 characters. */
export function prefixParam() {
  return read('1 to 1000 characters', (text) => (text === '' || text.length > 1000 ? undefined : text)).optional()
}

/** Words to search for. Their syntax is checked when the search runs. */
export function search() {
  return read('1 to 1000 characters', (text) => (text === '' || text.length > 1000 ? undefined : text)).optional()
}

/** How many children to embed per record and group: 0 to 50. */
export function hydrateLimit() {
  return read('an integer from 0 to 50', (text) => {
    const value = readInteger(text)
    return value === undefined || value < 0 || value > 50 ? undefined : value
  }).optional()
}

/**
 * One value or several (a repeated parameter), at most 100, without repeats.
 *
 * @param item Schema of each value; whether it is optional by itself does not matter.
 */
export function many<T extends z.ZodType>(item: T): z.ZodOptional<z.ZodType<Exclude<z.output<T>, undefined>[]>> {
  const values = z
    .array(item)
    .max(MAX_VALUES, { error: `must have at most ${MAX_VALUES} values` })
    .transform((list) => [...new Set(list)] as Exclude<z.output<T>, undefined>[])
  return z.preprocess((raw) => (Array.isArray(raw) ? raw : [raw]), values).optional() as z.ZodOptional<
    z.ZodType<Exclude<z.output<T>, undefined>[]>
  >
}

const actor = read(ACTOR, (text) => (isDid(text) || isHandle(text) ? text : undefined))

/** Parameters of every list. */
export const listParams = {
  /** Records per page: 1 to 200, default 50. What lies outside is clamped. */
  limit: read('an integer from 1 to 200', (text) =>
    INTEGER.test(text) ? Math.min(200, Math.max(1, Number(text))) : undefined,
  ).default(50),
  /** `cursor` of the page before. */
  cursor: z.string().optional(),
  order: z.enum(['asc', 'desc']).optional(),
  /** Records of this account: a DID or a handle. */
  did: actor.optional(),
  /** The same as `did`. */
  actor: actor.optional(),
  /** Bounds of `time_us`: the record's own time, as far as it is believed. */
  createdAtMin: datetimeParam(),
  createdAtMax: datetimeParam(),
  /** Bounds of when this index first saw the record. */
  indexedAtMin: datetimeParam(),
  indexedAtMax: datetimeParam(),
}

/** What parameters of every list narrow it by; those of a collection take their place. */
export const listFilters = {
  createdAtMin: { min: 'sort_at' },
  createdAtMax: { max: 'sort_at' },
  indexedAtMin: { min: 'indexed_at' },
  indexedAtMax: { max: 'indexed_at' },
} as const satisfies Record<string, Filter>

/** Parameters of every `getRecord`. */
export const getParams = {
  /** URI of a record, with a DID or a handle. */
  uri: read('the at-uri of a record', (text) => parseAtUri(text) ?? undefined),
}

/** The parameters of a query string, without the leading `?`. */
export function readQuery(query: string): RawParams {
  const raw: RawParams = Object.create(null)
  if (query === '') return raw
  for (const [name, value] of new URLSearchParams(query)) {
    const before = raw[name]
    if (before === undefined) raw[name] = value
    else if (Array.isArray(before)) before.push(value)
    else raw[name] = [before, value]
  }
  return raw
}

/** @throws {XrpcError} 400 where a parameter is none of the `valid` ones, which are given as an object's keys */
export function refuseOthers(raw: RawParams, valid: object): void {
  for (const name in raw) {
    if (!Object.hasOwn(valid, name)) throw invalidParam(valid, `There is no parameter "${excerpt(name)}".`)
  }
}

/**
 * Databases end text at NUL or refuse it, and no stored text holds one.
 *
 * @throws {XrpcError} 400 where a parameter holds one
 */
export function refuseNul(raw: RawParams, valid?: object): void {
  for (const name in raw) {
    if (String(raw[name]).includes('\0'))
      throw invalidParam(valid, `Parameter "${excerpt(name)}" holds a NUL character.`)
  }
}

/**
 * Parameters as the schema gives them.
 *
 * @throws {XrpcError} 400 that names the parameter, what is wrong with it and which ones there are
 */
export function parseParams<P extends z.ZodObject>(schema: P, raw: RawParams): z.output<P> {
  refuseOthers(raw, schema.shape)
  refuseNul(raw, schema.shape)
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const name = String(issue.path[0])
  const value = raw[name]
  if (value === undefined) throw invalidParam(schema.shape, `Parameter "${name}" is required.`)
  if (Array.isArray(value) && issue.code !== 'custom' && issue.code !== 'too_big') {
    throw invalidParam(schema.shape, `Parameter "${name}" may be given only once.`)
  }
  const wrong = typeof issue.path[1] === 'number' ? [value].flat()[issue.path[1]] : value
  const got = typeof wrong === 'string' ? `, not "${excerpt(wrong)}"` : ''
  throw invalidParam(schema.shape, `Parameter "${name}" ${expectation(issue)}${got}.`)
}

function expectation(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_value' ? `must be one of ${issue.values.join(', ')}` : issue.message
}

function invalidParam(valid: object | undefined, problem: string) {
  if (valid === undefined) return invalidRequest(problem)
  const names = Object.keys(valid)
  return invalidRequest(
    `${problem} ${names.length === 0 ? 'There are none' : `Valid parameters: ${names.join(', ')}`}.`,
  )
}

/** Enough of a stranger's text to recognise it by. */
function excerpt(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
