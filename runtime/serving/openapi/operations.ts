import { type Json, toSchema } from './schema.ts'

/** Statuses of errors that lexicons name. */
const STATUSES: Readonly<Record<string, string>> = {
  AuthenticationRequired: '401',
  Forbidden: '403',
  ProfileNotFound: '404',
  RecordNotFound: '404',
  unauthorized: '401',
}

export const ERROR = { $ref: '#/components/schemas/Error' }

/** An answer of JSON. */
export function answer(description: string, schema: Json): Json {
  return { description, content: { 'application/json': { schema } } }
}

/** What any request may come to. */
export const COMMON_ERRORS: Json = {
  400: answer('The request is at fault; the message says what about it.', ERROR),
  default: answer('Another error.', ERROR),
}

/** A query or procedure as an operation; null for what is called otherwise. */
export function methodOperation(id: string, main: Json): readonly ['get' | 'post', Json] | null {
  if (main.type !== 'query' && main.type !== 'procedure') return null
  const output = main.output as Json | undefined
  const input = main.input as Json | undefined
  const operation = {
    operationId: id,
    tags: [tagOf(id)],
    ...(main.description === undefined ? {} : { description: main.description }),
    parameters: main.parameters === undefined ? [] : queryParameters(main.parameters as Json, id),
    ...(input === undefined ? {} : { requestBody: { required: true, content: contentOf(input, id) } }),
    responses: {
      200: { description: 'As asked.', ...(output === undefined ? {} : { content: contentOf(output, id) }) },
      ...errorResponses((main.errors as readonly Json[] | undefined) ?? []),
    },
  }
  return [main.type === 'query' ? 'get' : 'post', operation]
}

/** The collection that a method is of: the segment in front of its name. */
function tagOf(id: string): string {
  return id.split('.').at(-2)!
}

function queryParameters(params: Json, id: string): readonly Json[] {
  const required = new Set((params.required as readonly string[] | undefined) ?? [])
  return Object.entries(params.properties as Record<string, Json>).map(([name, property]) => {
    const { description, ...schema } = toSchema(property, id) as Record<string, unknown>
    return {
      name,
      in: 'query',
      ...(required.has(name) && { required: true }),
      ...(description === undefined ? {} : { description }),
      // A list is a parameter that is repeated.
      ...(property.type === 'array' && { style: 'form', explode: true }),
      schema,
    }
  })
}

function contentOf({ encoding, schema }: Json, id: string): Json {
  return { [encoding as string]: schema === undefined ? {} : { schema: toSchema(schema as Json, id) } }
}

function errorResponses(errors: readonly Json[]): Json {
  const byStatus = new Map<string, string[]>()
  for (const { name, description } of errors) {
    const status = STATUSES[String(name)] ?? '400'
    const line = description === undefined ? `\`${name}\`` : `\`${name}\`: ${description}`
    byStatus.set(status, [...(byStatus.get(status) ?? []), line])
  }
  const named = [...byStatus].map(([status, lines]) => [status, answer(lines.join('\n\n'), ERROR)])
  return { ...COMMON_ERRORS, ...Object.fromEntries(named) }
}
