import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Bench, BenchOptions, Cell } from '../report.ts'
import { median } from '../report.ts'
import { type Child, startChild } from '../rpc.ts'
import { withScratch } from '../scratch.ts'
import type { Filled, Filler } from './fill.ts'
import type { Load, LoadGenerator } from './load.ts'
import { type Question, questions, repeated } from './questions.ts'
import type { Server } from './server.ts'

const SIZE = { events: 50_000, rsvps: 500_000, hottest: 22_000 }
// Events enough for a word to count as one that stands in very many.
const QUICK_SIZE = { events: 25_000, rsvps: 50_000, hottest: 2200 }

interface UnderTest {
  readonly name: string
  readonly url: string
  readonly child: Child<Server>
}

interface Turn extends Load {
  /** µs of the server per request. */
  readonly cpuUs: number
}

/** Reads over HTTP, beside a server that does nothing but them. */
export const readsBench: Bench = {
  name: 'reads',
  summary: 'requests/s of listRecords, getRecord, search and hydration, beside a bare node:http server',
  async run(options) {
    const size = options.quick ? QUICK_SIZE : SIZE
    const seconds = options.quick ? 1.5 : 4
    return withScratch(async (directory) => {
      const database = path.join(directory, 'index.sqlite')
      options.progress(`reads: filling an index of ${size.events} events and ${size.rsvps} RSVPs`)
      const filled = await fill(database, size)
      const asked = questions(filled)
      const first = await measure(database, FIRST, asked, seconds, options)
      const again = await measure(database, AGAIN, repeated(asked), seconds, options)
      const heading = `SQLite: ${size.events} events, ${size.rsvps} RSVPs, 10 connections`
      return [
        {
          title: `Reads, ${heading}`,
          rows: first,
          notes: [
            'lexidex: the calendar app behind `lexidex/node`. bare: node:http, one statement by hand, the same answers.',
            `Each in a process of its own, in turns of ${seconds} s, two each. CPU: µs of the server per request.`,
          ],
        },
        {
          title: `The same page again and again, ${heading}`,
          rows: again,
          notes: [
            'lexidex: as above, answers kept in memory. static: node:http, the bytes of the answer, nothing else.',
          ],
        },
      ]
    })
  },
}

/** Fills a new index, in a process of its own. */
export async function fill(database: string, size: typeof SIZE): Promise<Filled> {
  const filler = startChild<Filler>('reads/fill.ts')
  try {
    return await filler.call.fill(database, size)
  } finally {
    await filler.close()
  }
}

/** What is measured beside what. */
interface Comparison {
  readonly ours: string
  readonly ceiling: { readonly name: string; readonly file: string }
}

const FIRST: Comparison = { ours: 'reads/ours.ts', ceiling: { name: 'bare', file: 'reads/bare.ts' } }
const AGAIN: Comparison = { ours: 'reads/repeated.ts', ceiling: { name: 'static', file: 'reads/static.ts' } }

async function measure(
  database: string,
  { ours: file, ceiling }: Comparison,
  asked: readonly Question[],
  seconds: number,
  { progress }: BenchOptions,
) {
  const ours = await start('lexidex', file, database)
  const bare = await start(ceiling.name, ceiling.file, database)
  const load = startChild<LoadGenerator>('reads/load.ts')
  try {
    const rows: Record<string, Cell>[] = []
    for (const question of asked) {
      progress(`reads: ${question.name}`)
      await compareAnswers(ours, bare, question)
      for (const server of [ours, bare]) await runTurn(load, server, question, seconds / 4)
      const turns: Record<string, Turn[]> = { lexidex: [], [bare.name]: [] }
      for (const server of [ours, bare, ours, bare]) {
        turns[server.name]!.push(await runTurn(load, server, question, seconds))
      }
      rows.push(toRow(question, turns.lexidex!, bare.name, turns[bare.name]!))
    }
    return rows
  } finally {
    await Promise.all([ours.child.close(), bare.child.close(), load.close()])
  }
}

function toRow(
  { name }: Question,
  ours: readonly Turn[],
  ceiling: string,
  bare: readonly Turn[],
): Record<string, Cell> {
  const middle = (turns: readonly Turn[], key: keyof Turn) => median(turns.map((turn) => turn[key]))
  const ratio = middle(ours, 'perSecond') / middle(bare, 'perSecond')
  return {
    read: name,
    kB: middle(ours, 'bytes') / 1000,
    'lexidex req/s': Math.round(middle(ours, 'perSecond')),
    [`${ceiling} req/s`]: Math.round(middle(bare, 'perSecond')),
    ratio,
    'lexidex p99 ms': middle(ours, 'p99Ms'),
    [`${ceiling} p99 ms`]: middle(bare, 'p99Ms'),
    'lexidex CPU µs': Math.round(middle(ours, 'cpuUs')),
    [`${ceiling} CPU µs`]: Math.round(middle(bare, 'cpuUs')),
    'CPU ratio': middle(bare, 'cpuUs') / middle(ours, 'cpuUs'),
  }
}

async function start(name: string, file: string, database: string): Promise<UnderTest> {
  const child = startChild<Server>(file)
  return { name, child, url: await child.call.listen(database) }
}

async function runTurn(
  load: Child<LoadGenerator>,
  { child, url }: UnderTest,
  { paths }: Question,
  seconds: number,
): Promise<Turn> {
  const before = await child.call.cpu()
  const result = await load.call.run(url, paths, seconds)
  const cpuUs = ((await child.call.cpu()) - before) / result.requests
  return { ...result, cpuUs }
}

/** A server that answers something else is no ceiling. Only cursors differ. */
async function compareAnswers(ours: UnderTest, bare: UnderTest, { name, paths }: Question): Promise<void> {
  for (const asked of paths) {
    const [mine, its] = await Promise.all([ours, bare].map(async ({ url }) => (await fetch(url + asked)).json()))
    for (const answer of [mine, its]) delete answer.cursor
    const isEmpty = mine.records?.length === 0
    if (isEmpty || !isDeepStrictEqual(mine, its)) {
      throw new Error(`${name}: ${isEmpty ? 'nothing to compare' : 'the answers differ'} at ${asked}`)
    }
  }
}
