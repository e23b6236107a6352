import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8 from making ever more room for new objects, as it does while much is in flight at a time: up to 100 MB, and
 * fetching gets no quicker by it. For commands that fetch and end, and are this process's only work.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
