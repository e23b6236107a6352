/**
 * How often the random tests of this folder run, and from which seed:
 *
 * - `INVARIANT_RUNS=20` runs twenty times as many cases.
 * - `INVARIANT_SEED=1234` repeats what a failure has printed.
 */
const FACTOR = Number(process.env.INVARIANT_RUNS ?? 1)
const SEED = process.env.INVARIANT_SEED === undefined ? undefined : Number(process.env.INVARIANT_SEED)

/** Number of cases, and ms that they may take. */
export function times(count: number): number {
  return Math.max(1, Math.round(count * FACTOR))
}

export const patience = (ms: number) => Math.max(ms, ms * FACTOR)

/**
 * Parameters of `fc.assert`. Cases wait for sockets and timers, so that smaller ones found by running them again would
 * be many minutes away: what fails first is what is shown.
 */
export function cases(count: number) {
  return { numRuns: times(count), endOnFailure: true, ...(SEED === undefined ? {} : { seed: SEED }) }
}

/**
 * Runs `test` with a new seed each time, which is told where it fails.
 *
 * @param atOnce how many run side by side; for those that wait most of the time
 */
export async function eachSeed(count: number, test: (seed: number) => Promise<void>, atOnce = 1): Promise<void> {
  const seeds = Array.from({ length: times(count) }, (_, i) =>
    i === 0 && SEED !== undefined ? SEED : Math.floor(Math.random() * 2 ** 31),
  )
  const lane = async () => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      try {
        await test(seed)
      } catch (cause) {
        seeds.length = 0
        throw new Error(`Failed with INVARIANT_SEED=${seed}: ${cause instanceof Error ? cause.message : cause}`, {
          cause,
        })
      }
    }
  }
  // Nothing may go on behind the back of a test that has failed.
  const outcomes = await Promise.allSettled(Array.from({ length: atOnce }, lane))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}
