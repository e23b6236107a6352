import { upperFirst } from './names.ts'
import type { CollectionModel, GroupsModel, Model } from './types.ts'

/** A parameter that embeds records in others. */
export interface Hydration {
  /** `hydrateRsvps`; of what is embedded in those, `hydrateRsvpsEvent`. */
  readonly param: string
  /** Name of the relation or reference, which is that of the property. */
  readonly name: string
  readonly kind: 'relation' | 'reference'
  /** What is embedded. */
  readonly target: CollectionModel
  readonly groups: GroupsModel | null
  /** What can be embedded in that in turn. Empty in what is embedded itself: one level is the end. */
  readonly inner: readonly Hydration[]
}

/** What can be embedded in records of a collection: relations by name, then references. */
export function hydrationsOf(collection: CollectionModel, model: Pick<Model, 'collections'>): readonly Hydration[] {
  return hydrations(collection, model, null)
}

function hydrations(
  collection: CollectionModel,
  model: Pick<Model, 'collections'>,
  outer: string | null,
): readonly Hydration[] {
  const entries = [
    ...collection.relations.map((relation) => ({ kind: 'relation' as const, ...relation })),
    ...collection.references.map((reference) => ({ kind: 'reference' as const, groups: null, ...reference })),
  ]
  return entries.flatMap(({ kind, name, groups, hydrateParam, collection: to }) => {
    const target = model.collections.find((candidate) => candidate.name === to)
    // Reported by itself.
    if (target === undefined) return []
    const param = outer === null ? hydrateParam : outer + upperFirst(name)
    return { param, name, kind, target, groups, inner: outer === null ? hydrations(target, model, param) : [] }
  })
}
