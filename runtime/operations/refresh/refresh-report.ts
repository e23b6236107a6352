import type { CollectionCounts } from './comparison.ts'
import type { RefreshResult } from './refresh.ts'

/**
 * The result in words, in the form that users of Contrail know. What only this refresh counts (deletions, accounts in
 * part or unchanged) is said where there is any.
 *
 * @param options.byCollection each collection with a count as well
 */
export function formatRefresh(
  result: RefreshResult,
  options: { readonly byCollection?: boolean | undefined } = {},
): string {
  const { byCollection, total, usersScanned, usersFailed, usersPartial, usersSkipped, elapsedMs } = result
  const lines: string[] = []
  if (options.byCollection) {
    lines.push('by collection:')
    for (const [nsid, counts] of Object.entries(byCollection)) {
      if (Object.values(counts).some((count) => count > 0)) lines.push(`  ${nsid}`, `    ${formatCounts(counts)}`)
    }
  }
  const failed = usersFailed > 0 ? `, ${usersFailed} failed` : ''
  const partial = usersPartial > 0 ? `, ${usersPartial} partial` : ''
  lines.push('total:', `  ${formatCounts(total)}`)
  lines.push(`  ${usersScanned} users scanned${failed}${partial} in ${(elapsedMs / 1000).toFixed(1)}s`)
  if (usersSkipped > 0)
    lines.push(`  (${usersSkipped} skipped: nothing written since they were last compared, or hidden)`)
  lines.push(`  (ignore window: ${result.ignoreWindowMs / 1000}s)`)
  return lines.join('\n')
}

function formatCounts({ missing, staleUpdates, inSync, deleted }: CollectionCounts): string {
  const gone = deleted > 0 ? `, ${deleted} deleted` : ''
  return `${missing} missing, ${staleUpdates} stale updates, ${inSync} in sync${gone}`
}
