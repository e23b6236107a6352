import { bookkeeping, type OperationContext } from '../context.ts'

/** Records of one collection that were refused for one reason. */
export interface QuarantineStatus {
  /** NSID. */
  readonly collection: string
  readonly reason: string
  readonly records: number
}

const REASONS = 20

/** The most frequent reasons, twenty at most. */
export async function quarantineStatus({ store }: OperationContext): Promise<readonly QuarantineStatus[]> {
  const rows = await bookkeeping(store)
    .selectFrom('lexidex_quarantine')
    .select((eb) => ['collection', 'reason', eb.fn.countAll<number | string>().as('records')])
    .groupBy(['collection', 'reason'])
    .orderBy('records', 'desc')
    .orderBy('collection')
    .orderBy('reason')
    .limit(REASONS)
    .execute()
  return rows.map((row) => ({ ...row, records: Number(row.records) }))
}
