import type { Model, PermissionSetModel } from '../model/types.ts'
import { document, type Json } from './lexicon-parts.ts'

/**
 * `{ns}.authFull`: what clients ask users for at once, as the scope `include:{ns}.authFull?aud={service}`.
 *
 * @see https://atproto.com/specs/permission
 */
export function permissionSetLexicon(model: Model, set: PermissionSetModel, documents: readonly Json[]): Json {
  const { title, detail, collections, additional } = set
  const lxm = documents.filter(isMethod).map(({ id }) => String(id))
  const permission = (resource: string, rest: Json) => ({ type: 'permission', resource, ...rest })
  const isEmpty = collections.length === 0
  return document(`${model.namespace}.authFull`, {
    main: {
      type: 'permission-set',
      title,
      detail,
      permissions: [
        permission('rpc', { inheritAud: true, lxm: lxm.sort() }),
        ...(isEmpty ? [] : [permission('repo', { action: ['create', 'update', 'delete'], collection: collections })]),
        ...additional,
      ],
    },
  })
}

function isMethod({ defs }: Json): boolean {
  const { main } = defs as { main?: { type: string } }
  return main?.type === 'query' || main?.type === 'procedure'
}
