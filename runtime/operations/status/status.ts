import type { OperationContext } from '../context.ts'
import { type ChecksStatus, checksStatus, type HostingStatus, hostingStatus } from './account-status.ts'
import { type BackfillStatus, backfillStatus, type ListingStatus, listingStatus } from './backfill-status.ts'
import { type QuarantineStatus, quarantineStatus } from './quarantine-status.ts'
import { type RunStatus, runsStatus } from './run-status.ts'

export interface OperationsStatus {
  readonly discovery: readonly ListingStatus[]
  readonly backfill: readonly BackfillStatus[]
  /** Whether a bulk load is going on: counts and searches are behind until it ends. */
  readonly bulkLoad: boolean
  /** Accounts by status. */
  readonly hosting: readonly HostingStatus[]
  readonly checks: ChecksStatus
  /** What was refused, by reason. */
  readonly quarantine: readonly QuarantineStatus[]
  /** The latest runs. */
  readonly runs: readonly RunStatus[]
}

/** What was done besides serving, and what is left to do. */
export async function operationsStatus(context: OperationContext): Promise<OperationsStatus> {
  return {
    discovery: await listingStatus(context),
    backfill: await backfillStatus(context),
    bulkLoad: (await context.store.bulk?.active()) ?? false,
    hosting: await hostingStatus(context),
    checks: await checksStatus(context),
    quarantine: await quarantineStatus(context),
    runs: await runsStatus(context),
  }
}
