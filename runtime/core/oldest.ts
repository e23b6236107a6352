/** Makes room where more is remembered than should be. Sets and Maps keep the order of insertion: the first is the oldest. */
export function dropOldest(kept: Set<string> | Map<string, unknown>, most: number): void {
  while (kept.size > most) kept.delete(kept.keys().next().value!)
}
