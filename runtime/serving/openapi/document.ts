import type { App } from '../../app.ts'
import { methodOperation } from './operations.ts'
import { plainOperations } from './plain.ts'
import { componentName, type Json, toSchema } from './schema.ts'

/** What is no type by itself, but a method, or something that clients ask for. */
const NO_SCHEMA = new Set(['query', 'procedure', 'subscription', 'permission-set', 'record'])

/**
 * All that is served, as a document of OpenAPI 3.1.
 *
 * @param paths paths of routes, as they are registered
 */
export function openApiDocument(app: Pick<App, 'namespace' | 'lexicons'>, paths: readonly string[]): Json {
  const documents = app.lexicons as readonly { readonly id: string; readonly defs: Readonly<Record<string, Json>> }[]
  const served = new Set(paths)
  const operations: Record<string, Record<string, unknown>> = {}
  const schemas: Record<string, Json> = { Error: ERROR_SCHEMA }
  for (const { id, defs } of documents) {
    for (const [name, definition] of Object.entries(defs)) {
      if (NO_SCHEMA.has(String(definition.type))) continue
      schemas[componentName(`#${name}`, id)] = toSchema(definition, id)
    }
    const operation = defs.main === undefined ? null : methodOperation(id, defs.main)
    if (operation === null || !served.has(`/xrpc/${id}`)) continue
    operations[`/xrpc/${id}`] = { [operation[0]]: operation[1] }
  }
  for (const [path, item] of Object.entries(plainOperations(app.namespace))) {
    if (served.has(path)) operations[path] = item as Record<string, unknown>
  }
  return {
    openapi: '3.1.0',
    info: { title: app.namespace, description: `The index of \`${app.namespace}\`.`, version: '1' },
    // Relative to where this document is.
    servers: [{ url: '.' }],
    paths: operations,
    components: {
      schemas,
      securitySchemes: { admin: { type: 'http', scheme: 'bearer', description: 'The secret of operators.' } },
    },
  }
}

const ERROR_SCHEMA: Json = {
  type: 'object',
  description: 'What went wrong: a name for programs, and a sentence for people.',
  required: ['error', 'message'],
  properties: { error: { type: 'string' }, message: { type: 'string' } },
  examples: [{ error: 'InvalidRequest', message: 'There is no parameter "limits". Valid parameters: limit, cursor.' }],
}
