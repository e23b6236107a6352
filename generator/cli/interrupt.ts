import { note } from './output.ts'

/** What a shell takes for "ended by Ctrl-C". */
const INTERRUPTED = 130

/** `npm run` and `npx` pass on the Ctrl-C that the terminal has sent us already: those two are one. */
const ECHO_MS = 500

/**
 * A signal that is aborted by Ctrl-C or SIGTERM, for work that ends in good order. The second one ends the
 * process at once. Where another process of ours started this one, its end is a first one too.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  let abortedAt = 0
  const onSignal = () => {
    if (!controller.signal.aborted) {
      abortedAt = performance.now()
      note('Stopping; again to stop at once.')
      controller.abort()
    } else if (performance.now() - abortedAt > ECHO_MS) process.exit(INTERRUPTED)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('disconnect', () => controller.abort())
  // To wait for that is no reason to go on.
  process.channel?.unref()
  return controller.signal
}
