import type { ListShape } from './compile.ts'
import type { Position } from './page.ts'
import type { Values } from './slots.ts'
import type { Row } from './splice.ts'

/** Rows of one page, and where the next one begins; null on the last. */
export interface PageRows {
  readonly rows: readonly Row[]
  readonly next: Position | null
}

/** A parsed list request: what to match, in which order, from where. */
export interface ListRequest {
  readonly filters: ListShape['filters']
  /** Values of the filters, and `$did` where the list is of one account. */
  readonly values: Values
  readonly limit: number
  /** Where the page before ended; null on the first. */
  readonly position: Position | null
  readonly search: string | undefined
}
