import type { CollectionDef } from '../../core/collection.ts'

/**
 * NSIDs of the collections with parents before their children, as far as relations and references say which is which:
 * a child that finds its parent needs no second look. Where they lead in a circle, the order of the config decides.
 */
export function parentsFirst(collections: readonly CollectionDef[]): readonly string[] {
  const parents = parentsOf(collections)
  const ordered: CollectionDef[] = []
  const met = new Set<CollectionDef>()
  const take = (collection: CollectionDef) => {
    if (met.has(collection)) return
    met.add(collection)
    for (const parent of parents.get(collection)!) take(parent)
    ordered.push(collection)
  }
  for (const collection of collections) take(collection)
  return ordered.map(({ nsid }) => nsid)
}

function parentsOf(collections: readonly CollectionDef[]): ReadonlyMap<CollectionDef, ReadonlySet<CollectionDef>> {
  const byName = new Map(collections.map((collection) => [collection.name, collection]))
  const parents = new Map(collections.map((collection) => [collection, new Set<CollectionDef>()]))
  for (const collection of collections) {
    for (const relation of Object.values(collection.relations)) {
      parents.get(byName.get(relation.collection)!)?.add(collection)
    }
    for (const reference of Object.values(collection.references)) {
      const parent = byName.get(reference.collection)
      if (parent !== undefined) parents.get(collection)!.add(parent)
    }
  }
  return parents
}
