import type { ResolvedCollection, ResolvedConfig } from '../input/config.ts'
import type { Issues } from '../input/issues.ts'
import { compareText } from '../input/order.ts'
import type { PermissionSetModel } from './types.ts'

/** What is permitted in a set: servers pass over all that is not below its own name. */
export function permissionSet(
  config: ResolvedConfig,
  collections: readonly ResolvedCollection[],
  issues: Issues,
): PermissionSetModel {
  const { namespace } = config
  const { title = namespace, description, additional } = config.permissionSet!
  const isOwn = (nsid: string) => nsid.startsWith(`${namespace}.`)
  const nsids = collections.map(({ collection }) => collection).sort(compareText)
  const foreign = nsids.filter((nsid) => !isOwn(nsid))
  if (foreign.length > 0) {
    issues.warn(
      'outside-namespace',
      'permissionSet',
      `A permission set is of its own namespace: ${foreign.map((nsid) => `\`${nsid}\``).join(', ')} cannot be in it.`,
      {
        hint: `Where your app writes such records, ask for ${foreign.map((nsid) => `\`repo:${nsid}\``).join(', ')} beside it.`,
      },
    )
  }
  for (const [i, permission] of additional.entries()) {
    for (const nsid of permission.resource === 'repo' ? permission.collection : permission.lxm) {
      if (isOwn(nsid)) continue
      issues.error('outside-namespace', `permissionSet.additional.${i}`, `\`${nsid}\` is not below \`${namespace}\`.`, {
        hint: 'Servers leave out a permission that is of another namespace, all of it. Ask for it beside the set.',
      })
    }
  }
  return {
    title,
    detail: description ?? `Full access to ${title}`,
    collections: nsids.filter(isOwn),
    additional: additional.map(({ type: _, ...permission }) => ({ type: 'permission', ...permission })),
  }
}
