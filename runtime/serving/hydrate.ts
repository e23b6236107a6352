import type { CollectionDef, ReferenceDef, RelationDef } from '../core/collection.ts'
import { LexidexError } from '../core/errors.ts'
import type { Store } from '../storage/store.ts'
import { prepareOnce } from './prepare.ts'
import type { Row } from './splice.ts'

/**
 * What a request wants embedded, as text to splice into the JSON of each row: properties with a comma in front of each.
 * One statement per relation or reference for the whole page.
 *
 * @param params Parsed parameters; `hydrate…` among them
 */
export type Hydrate = (rows: readonly Row[], params: Readonly<Record<string, unknown>>) => Promise<readonly string[]>

/** One relation or reference, for a page of rows. Undefined where a row gets nothing. */
interface Part {
  readonly param: string
  readonly property: string
  values(rows: readonly Row[], limit: number): Promise<readonly (string | undefined)[]>
}

/** @param collections All of the app: those that relations and references point at are among them. */
export function createHydrate(
  store: Store,
  collection: CollectionDef,
  collections: readonly CollectionDef[],
): { hydrate: Hydrate; params: readonly string[] } {
  const target = (name: string) => {
    const found = collections.find((candidate) => candidate.name === name)
    if (found !== undefined) return found
    throw new LexidexError(`Collection ${collection.name} points at ${name}, which is not in the app`, {
      hint: 'Run `npx lexidex generate` again, and list every collection in `app.collections`.',
    })
  }
  const parts = [
    ...Object.entries(collection.relations).map(([name, relation]) =>
      relationPart(store, name, relation, target(relation.collection)),
    ),
    ...Object.entries(collection.references).map(([name, reference]) =>
      referencePart(store, name, reference, target(reference.collection)),
    ),
  ]
  return {
    params: parts.map(({ param }) => param),
    async hydrate(rows, params) {
      const extras = new Array<string>(rows.length).fill('')
      if (rows.length === 0) return extras
      for (const { param, property, values } of parts) {
        const asked = Number(params[param] ?? 0)
        if (asked === 0) continue
        const found = await values(rows, asked)
        for (let i = 0; i < rows.length; i++) {
          if (found[i] !== undefined) extras[i] += property + found[i]
        }
      }
      return extras
    },
  }
}

function paramName(name: string): string {
  return `hydrate${name[0]!.toUpperCase()}${name.slice(1)}`
}

/** The newest children of each row. */
function relationPart(store: Store, name: string, relation: RelationDef, child: CollectionDef): Part {
  const query = prepareOnce(store, () => store.reads.childrenOf({ child, relation }))
  const groups =
    relation.groups === undefined
      ? null
      : Object.keys(relation.groups.values).map((group) => ({
          property: `${JSON.stringify(group)}:[`,
          column: `children_${group}`,
        }))
  const toJson = (row: Row | undefined): string => {
    if (groups === null) return `[${row?.children ?? ''}]`
    let json = ''
    if (row !== undefined) {
      for (const { property, column } of groups) {
        if (row[column] !== null) json += `${json === '' ? '' : ','}${property}${row[column]}]`
      }
    }
    return `{${json}}`
  }
  return {
    param: paramName(name),
    property: `,${JSON.stringify(name)}:`,
    async values(rows, limit) {
      const keys = rows.map((row) => row[relation.match] as string)
      const found = await query().all([JSON.stringify([...new Set(keys)]), limit])
      const byParent = new Map(found.map((row) => [row.parent as string, row]))
      return keys.map((key) => toJson(byParent.get(key)))
    },
  }
}

/** The record that each row points at. */
function referencePart(store: Store, name: string, reference: ReferenceDef, target: CollectionDef): Part {
  const query = prepareOnce(store, () => store.reads.recordsByKey(target, reference.match))
  return {
    param: paramName(name),
    property: `,${JSON.stringify(name)}:`,
    async values(rows) {
      const keys = rows.map((row) => row[reference.column] as string | null)
      const wanted = new Set(keys.filter((key) => key !== null))
      if (wanted.size === 0) return []
      const found = await query().all([JSON.stringify([...wanted])])
      const byKey = new Map(found.map((row) => [row.key as string, row.entry as string]))
      return keys.map((key) => (key === null ? undefined : byKey.get(key)))
    },
  }
}
