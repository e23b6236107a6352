import { type Kysely, sql } from 'kysely'
import type { Store } from '../storage/store.ts'
import { compileWindow, roomyShape, type Statement, shapeKey } from './compile.ts'
import type { ListDef } from './define.ts'
import type { ListRequest, PageRows } from './list.ts'
import { Lru } from './lru.ts'
import { malformedCursor, type Position } from './page.ts'
import { prepareOnce } from './prepare.ts'
import type { Row, RowView } from './splice.ts'

/** Windows that one request looks through, so that filters that drop most matches do not make it run on. */
const MAX_WINDOWS = 5

/** How long it is remembered whether words are in very many rows, which takes longer to count than a page to read. */
const OFTEN_MS = 60_000

/** The search of one list. */
export interface Search {
  /** @throws {XrpcError} 400 on a search that cannot be understood */
  compile(search: string): string
  /** Whether very many rows match compiled search text. */
  isOften(compiled: string): Promise<boolean>
  /**
   * A page by relevance. Matches are taken newest first in windows, and ordered by relevance within one, so that the
   * work is bounded however many there are. Where the words are in very many rows, relevance itself would have to count
   * them all: then matches stay newest first. A page may be short, or empty, and still have a next one.
   */
  page(request: ListRequest): Promise<PageRows>
}

/** Where a search goes on: in the window below an id, behind a place. The first page decides for all whether to rank. */
interface Place {
  readonly below: number
  readonly place: number
  readonly ranked: boolean
}

export function createSearch(store: Store, def: ListDef, view: RowView, maxStatements: number): Search {
  const { collection } = def
  const { reads } = store
  const statements = new Lru<Statement>(maxStatements)
  const counted = new Lru<{ often?: boolean }>(maxStatements)
  const oftenQuery = prepareOnce(store, () => reads.searchOften(collection))
  const windowEnd = prepareOnce(store, () => reads.searchWindowEnd(collection))
  const newestId = prepareOnce(
    store,
    () => (store.db as Kysely<any>).selectFrom(collection.table).select(sql`max(id)`.as('id')).compile().sql,
  )

  async function isOften(compiled: string): Promise<boolean> {
    const known = counted.get(`${Math.floor(Date.now() / OFTEN_MS)} ${compiled}`, () => ({}))
    known.often ??= (await oftenQuery().all([compiled]))[0]!.often === 1
    return known.often
  }

  /** Records that arrive later must not push the others into another window, so the first window has a bound too. */
  async function begin(words: string): Promise<Place> {
    const [newest] = await newestId().all([])
    return { below: (newest!.id ?? 0) + 1, place: 0, ranked: !(await isOften(reads.compileAnyWord(words))) }
  }

  return {
    compile: (words) => reads.compileSearch(words),
    isOften,
    async page(request) {
      const words = request.search!
      const compiled = reads.compileSearch(words)
      let place = request.position === null ? await begin(words) : readPlace(request.position)
      const { ranked } = place
      const shape = roomyShape({ filters: request.filters, did: request.values.$did !== undefined, ranked })
      const statement = statements.get(shapeKey(shape), () => compileWindow(store, def, view, shape))
      const rows: Row[] = []
      for (let windows = 0; windows < MAX_WINDOWS; windows++) {
        const { below } = place
        const room = request.limit + 1 - rows.length
        const values = { ...request.values, $search: compiled, $below: below, $place: place.place, $limit: room }
        const found = await statement.all(values)
        for (const row of found) {
          if (rows.length === request.limit) return { rows, next: writePlace(place) }
          rows.push(row)
          place = ranked ? { ...place, place: row.lexidex_place } : { ...place, below: row.lexidex_id }
        }
        const [end] = await windowEnd().all([compiled, below])
        if (end!.bottom === null) return { rows, next: null }
        place = { below: end!.bottom, place: 0, ranked }
      }
      return { rows, next: writePlace(place) }
    },
  }
}

function writePlace({ below, place, ranked }: Place): Position {
  return [below, place, ranked ? 1 : 0]
}

function readPlace(position: Position): Place {
  const [below, place, ranked] = position
  if (position.length !== 3 || !isIndex(below) || !isIndex(place) || (ranked !== 0 && ranked !== 1)) {
    throw malformedCursor()
  }
  return { below, place, ranked: ranked === 1 }
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
