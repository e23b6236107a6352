import type { z } from 'zod'
import { invalidRequest } from '../../core/errors.ts'
import { type QueryParam, queryParams } from '../../core/query-params.ts'
import type { RawParams } from '../params/params.ts'

const NUMBER = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** Reads the parameters of a query of the config. */
export interface OwnParams {
  /** Names; null where it declares none and takes any. */
  readonly names: readonly string[] | null
  /**
   * What the schema makes of them; without one, they are as they came. Others than its own are not looked at.
   *
   * @throws XrpcError 400 that names the parameter and what is wrong with it
   */
  read(raw: RawParams): Record<string, unknown>
}

export function ownParams(schema: z.ZodObject | undefined): OwnParams {
  if (schema === undefined) return { names: null, read: (raw) => ({ ...withoutNul(raw) }) }
  const declared = queryParams(schema)
  return {
    names: declared.map(({ name }) => name),
    read(raw) {
      const values: Record<string, unknown> = {}
      withoutNul(raw)
      for (const param of declared) {
        const text = raw[param.name]
        if (text !== undefined) values[param.name] = readValue(param, text)
      }
      const result = schema.safeParse(values)
      if (result.success) return result.data
      const issue = result.error.issues[0]!
      const name = String(issue.path[0] ?? '')
      if (name === '') throw invalidRequest(`${issue.message}.`)
      if (values[name] === undefined) throw invalidRequest(`Parameter "${name}" is required.`)
      throw invalidRequest(`Parameter "${name}": ${issue.message}.`)
    },
  }
}

/** Databases end text at NUL or refuse it, and no stored text holds one. */
function withoutNul(raw: RawParams): RawParams {
  for (const [name, value] of Object.entries(raw)) {
    if (String(value).includes('\0')) throw invalidRequest(`Parameter "${name.slice(0, 80)}" holds a NUL character.`)
  }
  return raw
}

/** @throws XrpcError 400 where a parameter is none of `names` */
export function refuseOthers(raw: RawParams, names: readonly string[]): void {
  for (const name in raw) {
    if (names.includes(name)) continue
    throw invalidRequest(
      `There is no parameter "${name.slice(0, 80)}". ${names.length === 0 ? 'There are none.' : `Valid parameters: ${names.join(', ')}.`}`,
    )
  }
}

function readValue(param: QueryParam, text: string | string[]): unknown {
  if (param.list) return [text].flat().map((one) => scalarOf(param, one))
  if (Array.isArray(text)) throw invalidRequest(`Parameter "${param.name}" may be given only once.`)
  return scalarOf(param, text)
}

/** What is not of the type stays text, for the schema to refuse. */
function scalarOf({ type }: QueryParam, text: string): unknown {
  if (type === 'boolean')
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text
  return type !== 'string' && NUMBER.test(text) ? Number(text) : text
}
