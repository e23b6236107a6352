import type { AskedFilter } from './filters.ts'
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
  /** That of the account among them, where the list is of one. */
  readonly filters: readonly AskedFilter[]
  /** Values of the filters. */
  readonly values: Values
  readonly limit: number
  /** Column to order by; null: by relevance. */
  readonly sort: string | null
  readonly descending: boolean
  /** Where the page before ended; null on the first. */
  readonly position: Position | null
  readonly search: string | undefined
}
