import { bookkeeping, type OperationContext } from '../context.ts'

/** Accounts at a time: the database does other things in between. */
const PART = 1000

/** Which jobs are made due again: those that were completed before a run began, or left off amid their listing. */
export interface ReopenOptions {
  /** ms since 1970: when the run began. */
  readonly before: number
  /** Up to where it was done already, by DID. */
  readonly after: string | null
  readonly onPart: (lastDid: string) => Promise<void>
  readonly signal: AbortSignal
}

/**
 * Makes completed jobs due again, account by account in the order of DIDs, and has listings that were left off begin
 * anew: what was written since to the part that they have passed may be on no stream. Doing it twice is no matter: jobs
 * that were completed, or got further, since the run began are left alone.
 */
export async function reopenJobs(context: OperationContext, options: ReopenOptions): Promise<void> {
  const { before, onPart, signal } = options
  const db = bookkeeping(context.store)
  let after = options.after ?? ''
  while (!signal.aborted) {
    const accounts = await db
      .selectFrom('lexidex_account')
      .select('did')
      .where('did', '>', after)
      .orderBy('did')
      .limit(PART)
      .execute()
    const last = accounts.at(-1)?.did
    if (last === undefined) return
    await db
      .updateTable('lexidex_job')
      .set({ status: 'pending', cursor: null, attempts: 0, due_at: 0, updated_at: context.clock.now() })
      .where('did', '>', after)
      .where('did', '<=', last)
      .where((eb) => eb.or([eb('status', '=', 'completed'), eb('cursor', 'is not', null)]))
      .where('updated_at', '<', before)
      .execute()
    await onPart(last)
    after = last
  }
}
