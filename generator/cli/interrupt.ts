import { note } from './output.ts'

/** What a shell takes for "ended by Ctrl-C". */
const INTERRUPTED = 130

/**
 * A signal that is aborted by Ctrl-C or SIGTERM, for work that ends in good order. The second one ends the
 * process at once.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED)
    note('Stopping; again to stop at once.')
    controller.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return controller.signal
}
