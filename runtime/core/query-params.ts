import { z } from 'zod'

/** A parameter of a query of the config, as far as query strings, lexicons and clients care. */
export interface QueryParam {
  readonly name: string
  /** Of each value. */
  readonly type: 'string' | 'integer' | 'number' | 'boolean'
  /** Whether it may be given several times. */
  readonly list: boolean
  readonly required: boolean
  readonly description: string
  /** The only values that it may have; empty where there are others. */
  readonly values: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
}

type Json = Readonly<Record<string, any>>

/**
 * The parameters of a zod object, in its order. What query strings cannot tell from text is text.
 *
 * @throws Error where zod has no words for a part of it
 */
export function queryParams(schema: z.ZodObject): readonly QueryParam[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json
  return Object.entries(properties as Readonly<Record<string, Json>>).map(([name, property]): QueryParam => {
    const list = property.type === 'array'
    const item: Json = list ? (property.items ?? {}) : property
    const bounds = item.type === 'integer' ? { minimum: bound(item.minimum), maximum: bound(item.maximum) } : {}
    return {
      name,
      type: isScalar(item.type) ? item.type : 'string',
      list,
      required: required.includes(name),
      description: String(property.description ?? item.description ?? ''),
      values: Array.isArray(item.enum) ? item.enum.filter((value) => typeof value === 'string') : [],
      ...Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined)),
    }
  })
}

function isScalar(type: unknown): type is QueryParam['type'] {
  return type === 'string' || type === 'integer' || type === 'number' || type === 'boolean'
}

/** Zod states the limits of its integers even where nobody asked for any. */
function bound(value: unknown): number | undefined {
  return typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined
}
