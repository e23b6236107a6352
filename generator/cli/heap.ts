import { setFlagsFromString } from 'node:v8'

/**
 * Has V8 collect garbage before it makes room. While much is fetched it would else let the heap grow to five times of
 * what is in use, and nothing gets quicker by it. For commands that fetch and end, and are all that this process does.
 */
export function keepHeapSmall(): void {
  // Room for new objects stays as it is, and that for old ones grows by half of what is in use.
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=50')
}
