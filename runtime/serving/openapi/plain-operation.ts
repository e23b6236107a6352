import { answer, COMMON_ERRORS, ERROR } from './operations.ts'
import type { Json } from './schema.ts'

export const TEXT = { type: 'string' }
export const NUMBER = { type: 'integer' }

interface Plain {
  readonly tag: string
  readonly description: string
  readonly parameters?: readonly Json[]
  readonly schema: Json
  /** Of what is answered; 200 where nothing else is said. */
  readonly status?: string
  readonly isForAdmins?: boolean
  readonly errors?: Json
}

/** An operation that no lexicon describes. */
export function operation(id: string, plain: Plain): Json {
  const { tag, description, parameters = [], schema, status = '200', isForAdmins = false, errors = {} } = plain
  return {
    operationId: id,
    tags: [tag],
    description,
    parameters,
    ...(isForAdmins && { security: [{ admin: [] }] }),
    responses: {
      [status]: answer('As asked.', schema),
      ...COMMON_ERRORS,
      ...(isForAdmins && {
        401: answer('The secret is missing.', ERROR),
        403: answer('That is not the secret.', ERROR),
        503: answer('There is no secret, so that nobody is let in; or the database cannot be used.', ERROR),
      }),
      ...errors,
    },
  }
}

export function list(items: Json): Json {
  return { type: 'array', items }
}

export function oneOf(...values: readonly string[]): Json {
  return { type: 'string', enum: values }
}

export function orNull(type: 'string' | 'integer'): Json {
  return { type: [type, 'null'] }
}

/** @param optional names of properties that may be missing */
export function object(properties: Json, optional: readonly string[] = []): Json {
  return { type: 'object', required: Object.keys(properties).filter((name) => !optional.includes(name)), properties }
}

/** A parameter that is a segment of the path. */
export function inPath(name: string, description: string): Json {
  return { name, in: 'path', required: true, description, schema: TEXT }
}

/** A parameter behind the `?`. */
export function inQuery(name: string, description: string, schema: Json = TEXT): Json {
  return { name, in: 'query', description, schema }
}
