import type { z } from 'zod'
import { invalidRequest } from '../../core/errors.ts'
import { type QueryParam, queryParams } from '../../core/query-params.ts'
import { type RawParams, refuseNul } from '../params/params.ts'

const NUMBER = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** Reads the parameters of a query of the config. */
export interface OwnParams {
  /** What it declares, by name; null where it declares nothing and takes any. */
  readonly shape: Readonly<Record<string, unknown>> | null
  /**
   * What the schema makes of them; without one, they are as they came. Others than its own are not looked at.
   *
   * @throws XrpcError 400 that names the parameter and what is wrong with it
   */
  read(raw: RawParams): Record<string, unknown>
}

export function ownParams(schema: z.ZodObject | undefined): OwnParams {
  if (schema === undefined) {
    return {
      shape: null,
      read(raw) {
        refuseNul(raw)
        return { ...raw }
      },
    }
  }
  const declared = queryParams(schema)
  return {
    shape: schema.shape,
    read(raw) {
      const values: Record<string, unknown> = {}
      refuseNul(raw)
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
