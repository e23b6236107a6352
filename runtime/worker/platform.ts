/** What is used of Workers' own interfaces; stated here, so that their types are not needed. */

/** What a Worker was deployed with: bindings, variables and secrets, by name. */
export type WorkerEnv = object

export interface WorkerContext {
  /** Keeps the Worker alive until the promise settles, also when the answer was given. */
  waitUntil(promise: Promise<unknown>): void
}

/** A cron trigger that fired. */
export interface ScheduledEvent {
  /** ms since 1970: when it was to fire. */
  readonly scheduledTime: number
  readonly cron: string
}
