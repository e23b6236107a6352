import { sql } from 'kysely'
import type { Store } from '../../storage/store.ts'
import type { ListDef } from '../define.ts'
import { malformedCursor, type Position } from '../shared/cursor.ts'
import { Lru } from '../shared/lru.ts'
import { prepareOnce, type Statement } from '../shared/prepare.ts'
import type { Row, RowView } from '../shared/splice.ts'
import { compileWindow } from './compile.ts'
import type { ListRequest, PageRows } from './request.ts'
import { roomyShape, type WindowShape, windowKey } from './shapes.ts'

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

/**
 * Where a search goes on. The first page decides for all whether to rank.
 *
 * In a window that is ranked, what was shown is left out by name: how rows rank depends on what else there is, so that no
 * place among them holds while others write.
 */
interface Place {
  /** Only rows with smaller ids. */
  readonly below: number
  /** Smallest id of the window, where it is ranked and was begun. */
  readonly bottom: number | null
  /** Ids of the window that were shown. */
  readonly shown: readonly number[]
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
    () => store.db.selectFrom(collection.table).select(sql`max(id)`.as('id')).compile().sql,
  )

  async function isOften(compiled: string): Promise<boolean> {
    const known = counted.get(`${Math.floor(Date.now() / OFTEN_MS)} ${compiled}`, () => ({}))
    known.often ??= (await oftenQuery().all([compiled]))[0]!.often === 1
    return known.often
  }

  async function bottomOf(compiled: string, below: number): Promise<number | null> {
    const [end] = await windowEnd().all([compiled, below])
    return end!.bottom
  }

  /** Asks what bounds a window, where one statement that finds out by itself would take longer. */
  async function begin(place: Place | null, compiled: string, ranked: boolean): Promise<Place | null> {
    if (reads.far) return place
    // Records that arrive later must not push the others into another window, so the first window has a bound too.
    const below = place?.below ?? Number((await newestId().all([]))[0]!.id ?? 0) + 1
    // All ids are above 0, which is where the last window ends.
    const bottom = ranked ? (place?.bottom ?? (await bottomOf(compiled, below)) ?? 0) : null
    return { below, bottom, shown: place?.shown ?? [], ranked }
  }

  function statementFor(shape: WindowShape): Statement {
    const roomy = roomyShape(shape)
    return statements.get(windowKey(roomy), () => compileWindow(store, def, view, roomy))
  }

  return {
    compile: (words) => reads.compileSearch(words),
    isOften,
    async page(request) {
      const words = request.search!
      const compiled = reads.compileSearch(words)
      let place = request.position === null ? null : readPlace(request.position)
      const ranked = place?.ranked ?? !(await isOften(reads.compileAnyWord(words)))
      const rows: Row[] = []
      for (let windows = 0; windows < MAX_WINDOWS; windows++) {
        place = await begin(place, compiled, ranked)
        const from = place === null ? 'newest' : ranked && place.bottom === null ? 'below' : 'within'
        const statement = statementFor({ filters: request.filters, ranked, from, hydrated: request.hydrated })
        const { below, bottom, shown } = place ?? NOWHERE
        const room = request.limit + 1 - rows.length
        const names = { $search: compiled, $below: below, $bottom: bottom, $shown: JSON.stringify(shown), $limit: room }
        const found = await statement.all({ ...request.values, ...names })
        const begun: Place = from === 'within' ? place! : placeOf(found[0]!, ranked)
        let at = begun
        for (const row of found) {
          if (row.lexidex_id === null) break
          if (rows.length === request.limit) return { rows, next: writePlace(at) }
          rows.push(row)
          at = ranked ? { ...at, shown: [...at.shown, row.lexidex_id] } : { ...at, below: row.lexidex_id }
        }
        const end = ranked ? begun.bottom || null : await bottomOf(compiled, begun.below)
        if (end === null) return { rows, next: null }
        place = { below: end, bottom: null, shown: [], ranked }
      }
      return { rows, next: writePlace(place!) }
    },
  }
}

/** Before the first window. */
const NOWHERE = { below: 0, bottom: null, shown: [] } as const

/** The window that a row was found in, of which nothing was shown yet. */
function placeOf({ lexidex_below: below, lexidex_bottom: bottom = null }: Row, ranked: boolean): Place {
  return { below, bottom, shown: [], ranked }
}

/** Ids become the steps from one to the next smaller one, which are short. */
function writePlace({ below, bottom, shown, ranked }: Place): Position {
  let last = below
  const steps = [...shown]
    .sort((a, b) => b - a)
    .map((id) => {
      const step = last - id
      last = id
      return step.toString(36)
    })
  return [ranked ? 1 : 0, below, bottom, steps.join('.')]
}

function readPlace(position: Position): Place {
  const [ranked, below, bottom, steps] = position
  const isBottom = bottom === null || isIndex(bottom)
  if (position.length !== 4 || (ranked !== 0 && ranked !== 1) || !isIndex(below) || !isBottom || !isSteps(steps)) {
    throw malformedCursor()
  }
  let id = below
  const shown = steps === '' ? [] : steps.split('.').map((step) => (id -= Number.parseInt(step, 36)))
  return { below, bottom, shown, ranked: ranked === 1 }
}

function isSteps(value: unknown): value is string {
  return typeof value === 'string' && /^(?:[0-9a-z]{1,10}(?:\.[0-9a-z]{1,10})*)?$/.test(value)
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
