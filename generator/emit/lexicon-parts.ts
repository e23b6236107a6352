import type { CollectionModel, Model } from '../model/types.ts'
import { sentences } from './code.ts'
import type { ParamView } from './param-view.ts'
import { countDoc } from './tables.ts'

/** Pieces of method lexicons. */

export type Json = Record<string, unknown>

export function document(id: string, defs: Json): Json {
  return { lexicon: 1, id, defs }
}

export function view(name: string, model: Model): string {
  return `${model.namespace}.${name}.defs#view`
}

export function string(description: string, format?: string): Json {
  return format === undefined ? { type: 'string', description } : { type: 'string', format, description }
}

export function params(views: readonly ParamView[], base: Json, required: string[] = []): Json {
  const properties: Json = { ...base }
  for (const { name, lexicon, description } of views) properties[name] = { ...lexicon, description }
  return required.length === 0 ? { type: 'params', properties } : { type: 'params', required, properties }
}

/** The counts that come with each record of a collection. */
export function counts(collection: CollectionModel): Json {
  const properties = collection.counts.map(({ name }) => [
    name,
    { type: 'integer', description: sentences(countDoc(collection, name), 'Absent where there are none') },
  ])
  return Object.fromEntries(properties)
}

export function output(schema: Json): Json {
  return { encoding: 'application/json', schema }
}

export function profiles(model: Model, when: string): Json {
  return {
    type: 'array',
    items: { type: 'ref', ref: `${model.namespace}.getProfile#entry` },
    description: sentences('Profiles of the authors of all that is returned', when),
  }
}
