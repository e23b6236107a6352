import { codeNames } from '../model/names.ts'
import type { CollectionModel } from '../model/types.ts'
import type { ImportSymbol } from '../print/imports.ts'
import { oneLine } from './code.ts'

/** What emitted code calls a collection's things. */
export interface EmitNames {
  readonly constant: string
  readonly type: string
  readonly table: string
  readonly record: string
  readonly view: string
  readonly hydration: string
  readonly hydrated: string
  readonly list: string
  readonly listParams: string
  readonly listParamsType: string
  readonly get: string
  readonly getParams: string
  readonly getParamsType: string
}

export function emitNames(collection: CollectionModel): EmitNames {
  const names = codeNames(collection.name)
  const { type } = names
  return {
    ...names,
    table: `${type}Table`,
    record: `${type}Record`,
    view: `${type}View`,
    hydration: `${type}Hydration`,
    hydrated: `${type}With`,
    listParamsType: `List${type}Params`,
    getParamsType: `Get${type}Params`,
  }
}

/** The record type that lex-cli wrote, seen from a file `depth` folders below `outDir`. */
export function recordImport(collection: CollectionModel, depth: number): ImportSymbol {
  const base = depth === 0 ? './' : '../'.repeat(depth)
  return {
    from: `${base}records/types/${collection.nsid.replaceAll('.', '/')}.js`,
    name: 'Main',
    as: emitNames(collection).record,
    type: true,
  }
}

/** `` `nsid`: description `` */
export function titleOf(collection: CollectionModel): string {
  const description = oneLine(collection.description)
  return description === '' ? `\`${collection.nsid}\`.` : `\`${collection.nsid}\`: ${description}`
}
