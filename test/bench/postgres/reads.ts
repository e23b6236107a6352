import { isDeepStrictEqual } from 'node:util'
import { COMMON_WORD, RARE_WORD } from '../calendar.ts'
import type { Load, LoadGenerator } from '../reads/load.ts'
import type { Server } from '../reads/server.ts'
import { type Cell, median } from '../report.ts'
import { type Child, startChild } from '../rpc.ts'
import type { Filled } from './fill.ts'

const method = (name: string, params: Record<string, string> = {}) =>
  `/xrpc/com.example.${name}?${new URLSearchParams(params)}`

/** Reads that are measured, by name; each asks for its paths in turns. */
function questions({ uris, dids }: Filled): Record<string, readonly string[]> {
  return {
    'list 50 events': [method('event.listRecords')],
    'list, hydrateRsvps=5': [method('event.listRecords', { hydrateRsvps: '5' })],
    getRecord: uris.map((uri) => method('event.getRecord', { uri })),
    'search, rare word': [method('event.listRecords', { search: RARE_WORD })],
    'search, common word': [method('event.listRecords', { search: COMMON_WORD })],
    'RSVPs by did': dids.map((did) => method('rsvp.listRecords', { did })),
    'RSVPs, hydrateEvent': [method('rsvp.listRecords', { hydrateEvent: 'true' })],
  }
}

interface UnderTest {
  readonly child: Child<Server>
  readonly url: string
}

interface Turn extends Load {
  /** µs of the server per request. */
  readonly cpuUs: number
}

/** Each read of both servers over one database, twice in turns. */
export async function measureReads(
  database: string,
  filled: Filled,
  seconds: number,
  progress: (text: string) => void,
): Promise<Record<string, Cell>[]> {
  const ours = await start('postgres/ours.ts', database)
  const bare = await start('postgres/bare.ts', database)
  const load = startChild<LoadGenerator>('reads/load.ts')
  const turn = async ({ child, url }: UnderTest, paths: readonly string[], seconds: number): Promise<Turn> => {
    const before = await child.call.cpu()
    const result = await load.call.run(url, paths, seconds)
    return { ...result, cpuUs: ((await child.call.cpu()) - before) / result.requests }
  }
  try {
    const rows: Record<string, Cell>[] = []
    for (const [name, paths] of Object.entries(questions(filled))) {
      progress(`postgres: ${name}`)
      await compareAnswers(ours, bare, name, paths)
      for (const server of [ours, bare]) await turn(server, paths, seconds / 4)
      const mine: Turn[] = []
      const its: Turn[] = []
      for (let i = 0; i < 2; i++) {
        mine.push(await turn(ours, paths, seconds))
        its.push(await turn(bare, paths, seconds))
      }
      rows.push(toRow(name, mine, its))
    }
    return rows
  } finally {
    await Promise.all([ours.child.close(), bare.child.close(), load.close()])
  }
}

async function start(file: string, database: string): Promise<UnderTest> {
  const child = startChild<Server>(file)
  return { child, url: await child.call.listen(database) }
}

function toRow(name: string, ours: readonly Turn[], bare: readonly Turn[]): Record<string, Cell> {
  const middle = (turns: readonly Turn[], key: keyof Turn) => median(turns.map((one) => one[key]))
  return {
    read: name,
    kB: middle(ours, 'bytes') / 1000,
    'lexidex req/s': Math.round(middle(ours, 'perSecond')),
    'bare req/s': Math.round(middle(bare, 'perSecond')),
    ratio: middle(ours, 'perSecond') / middle(bare, 'perSecond'),
    'lexidex p99 ms': middle(ours, 'p99Ms'),
    'bare p99 ms': middle(bare, 'p99Ms'),
    'lexidex CPU µs': Math.round(middle(ours, 'cpuUs')),
    'bare CPU µs': Math.round(middle(bare, 'cpuUs')),
  }
}

/** A server that answers something else is no ceiling. Only cursors differ. */
async function compareAnswers(ours: UnderTest, bare: UnderTest, name: string, paths: readonly string[]): Promise<void> {
  for (const asked of paths) {
    const [mine, its] = await Promise.all([ours, bare].map(async ({ url }) => (await fetch(url + asked)).json()))
    for (const answer of [mine, its]) delete answer.cursor
    const isEmpty = mine.records?.length === 0
    if (isEmpty || !isDeepStrictEqual(mine, its)) {
      throw new Error(`${name}: ${isEmpty ? 'nothing to compare' : 'the answers differ'} at ${asked}`)
    }
  }
}
