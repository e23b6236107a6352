import type { LexiconDoc } from '@atproto/lexicon'

type Schema = Readonly<Record<string, unknown>>

/**
 * A copy of a lexicon that asks for structure only: types, required properties, unions and refs stay; limits on
 * values (format, length, range, enum, const, accept, maxSize) go, and optional properties may be null.
 */
export function relax(doc: LexiconDoc): LexiconDoc {
  const defs = Object.entries(doc.defs).map(([name, def]) => [name, relaxSchema(def as unknown as Schema)])
  return { ...structuredClone(doc), defs: Object.fromEntries(defs) }
}

function relaxSchema(schema: Schema): Schema {
  switch (schema.type) {
    case 'record':
      return { ...schema, record: relaxSchema(schema.record as Schema) }
    case 'object':
      return relaxObject(schema)
    case 'array':
      return { type: 'array', items: relaxSchema(schema.items as Schema) }
    case 'string':
    case 'integer':
    case 'boolean':
    case 'bytes':
    case 'blob':
      return { type: schema.type }
    default:
      // Refs, unions, `unknown`, `cid-link` and tokens are structure through and through.
      return structuredClone(schema)
  }
}

function relaxObject(schema: Schema): Schema {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, Schema>>
  const required = (schema.required ?? []) as readonly string[]
  const optional = Object.keys(properties).filter((name) => !required.includes(name))
  return {
    type: 'object',
    required: [...required],
    nullable: [...new Set([...((schema.nullable ?? []) as readonly string[]), ...optional])],
    properties: Object.fromEntries(Object.entries(properties).map(([name, def]) => [name, relaxSchema(def)])),
  }
}
