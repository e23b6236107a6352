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

export interface Size {
  readonly events: number
  readonly rsvps: number
  /** RSVPs of one event. */
  readonly hottest: number
}

const SIZE: Size = { events: 50_000, rsvps: 500_000, hottest: 22_000 }
// Events enough for a word to count as one that stands in very many.
const QUICK_SIZE: Size = { events: 25_000, rsvps: 50_000, hottest: 2200 }

interface UnderTest {
  readonly name: string
  readonly url: string
  readonly child: Child<Server>
  /** What the server asks for in place of a path. */
  readonly pathOf: (question: Question, path: string) => string
}

interface Turn extends Load {
  /** µs of the server per request. */
  readonly cpuUs: number
}

/** An index, and what there is to ask of it. */
interface Filling {
  readonly database: string
  readonly asked: readonly Question[]
}

/** Reads over HTTP, beside a server that does nothing but them, and beside the same reads of a tenth of the records. */
export const readsBench: Bench = {
  name: 'reads',
  summary: 'requests/s of listRecords, getRecord, search and hydration, beside a bare node:http server',
  async run(options) {
    const size = scaled(options.quick ? QUICK_SIZE : SIZE, options.scale)
    const seconds = options.quick ? 1.5 : 4
    return withScratch(async (directory) => {
      const whole = await fillAndAsk(path.join(directory, 'index.sqlite'), size, options)
      const tenth = await fillAndAsk(path.join(directory, 'tenth.sqlite'), scaled(size, 0.1), options)
      const { besideBare, besideTenth } = await measure(whole, tenth, seconds, options)
      const again = await measureAgain(whole, seconds, options)
      const heading = `SQLite: ${size.events} events, ${size.rsvps} RSVPs, 10 connections`
      const turns = `Each in a process of its own, in turns of ${seconds} s, two each. CPU: µs of the server per request.`
      return [
        {
          title: `Reads, ${heading}`,
          rows: besideBare,
          notes: [
            'lexidex: the calendar app behind `lexidex/node`. bare: node:http, one statement by hand, the same answers.',
            turns,
          ],
        },
        {
          title: 'The same reads of a tenth of the records',
          rows: besideTenth,
          notes: ['growth: CPU with all records to CPU with a tenth of them.'],
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
export async function fill(database: string, size: Size): Promise<Filled> {
  const filler = startChild<Filler>('reads/fill.ts')
  try {
    return await filler.call.fill(database, size)
  } finally {
    await filler.close()
  }
}

async function fillAndAsk(database: string, size: Size, { progress }: BenchOptions): Promise<Filling> {
  progress(`reads: filling an index of ${size.events} events and ${size.rsvps} RSVPs`)
  return { database, asked: questions(await fill(database, size)) }
}

function scaled({ events, rsvps, hottest }: Size, scale: number): Size {
  const part = (count: number) => Math.max(1, Math.round(count * scale))
  return { events: part(events), rsvps: part(rsvps), hottest: part(hottest) }
}

async function measure(whole: Filling, tenth: Filling, seconds: number, { progress }: BenchOptions) {
  const ours = await start('lexidex', 'reads/ours.ts', whole)
  const small = await start('tenth', 'reads/ours.ts', tenth)
  const bare = await start('bare', 'reads/bare.ts', whole, ({ bare }, path) => `/${bare}${path}`)
  const load = startChild<LoadGenerator>('reads/load.ts')
  const besideBare: Record<string, Cell>[] = []
  const besideTenth: Record<string, Cell>[] = []
  try {
    for (const [i, question] of whole.asked.entries()) {
      progress(`reads: ${question.name}`)
      await compareAnswers(ours, bare, question)
      const ofTenth = tenth.asked[i]!
      const servers = [
        { server: ours, question },
        { server: bare, question },
        { server: small, question: ofTenth },
      ]
      const turns = await takeTurns(load, servers, seconds)
      besideBare.push(compared(question, turns.lexidex!, 'bare', turns.bare!))
      besideTenth.push(grown(question, turns.lexidex!, turns.tenth!))
    }
    return { besideBare, besideTenth }
  } finally {
    await Promise.all([...[ours, small, bare].map(({ child }) => child.close()), load.close()])
  }
}

async function measureAgain(whole: Filling, seconds: number, { progress }: BenchOptions) {
  const ours = await start('lexidex', 'reads/repeated.ts', whole)
  const bytes = await start('static', 'reads/static.ts', whole)
  const load = startChild<LoadGenerator>('reads/load.ts')
  try {
    const rows: Record<string, Cell>[] = []
    for (const question of repeated(whole.asked)) {
      progress(`reads, repeated: ${question.name}`)
      await compareAnswers(ours, bytes, question)
      const servers = [ours, bytes].map((server) => ({ server, question }))
      const turns = await takeTurns(load, servers, seconds)
      rows.push(compared(question, turns.lexidex!, 'static', turns.static!))
    }
    return rows
  } finally {
    await Promise.all([ours.child.close(), bytes.child.close(), load.close()])
  }
}

/** Each for a moment to warm up, then each twice, one after the other. */
async function takeTurns(
  load: Child<LoadGenerator>,
  servers: readonly { readonly server: UnderTest; readonly question: Question }[],
  seconds: number,
): Promise<Record<string, Turn[]>> {
  const turns: Record<string, Turn[]> = Object.fromEntries(servers.map(({ server }) => [server.name, []]))
  for (const { server, question } of servers) await runTurn(load, server, question, seconds / 4)
  for (const { server, question } of [...servers, ...servers]) {
    turns[server.name]!.push(await runTurn(load, server, question, seconds))
  }
  return turns
}

const middle = (turns: readonly Turn[], key: keyof Turn) => median(turns.map((turn) => turn[key]))

function compared(
  { name }: Question,
  ours: readonly Turn[],
  ceiling: string,
  its: readonly Turn[],
): Record<string, Cell> {
  return {
    read: name,
    kB: middle(ours, 'bytes') / 1000,
    'lexidex req/s': Math.round(middle(ours, 'perSecond')),
    [`${ceiling} req/s`]: Math.round(middle(its, 'perSecond')),
    ratio: middle(ours, 'perSecond') / middle(its, 'perSecond'),
    'lexidex p99 ms': middle(ours, 'p99Ms'),
    [`${ceiling} p99 ms`]: middle(its, 'p99Ms'),
    'lexidex CPU µs': Math.round(middle(ours, 'cpuUs')),
    [`${ceiling} CPU µs`]: Math.round(middle(its, 'cpuUs')),
    'CPU ratio': middle(its, 'cpuUs') / middle(ours, 'cpuUs'),
  }
}

function grown({ name }: Question, whole: readonly Turn[], tenth: readonly Turn[]): Record<string, Cell> {
  return {
    read: name,
    'kB of a tenth': middle(tenth, 'bytes') / 1000,
    'req/s of a tenth': Math.round(middle(tenth, 'perSecond')),
    'CPU µs of a tenth': Math.round(middle(tenth, 'cpuUs')),
    'CPU µs of all': Math.round(middle(whole, 'cpuUs')),
    growth: middle(whole, 'cpuUs') / middle(tenth, 'cpuUs'),
  }
}

async function start(
  name: string,
  file: string,
  { database }: Filling,
  pathOf: UnderTest['pathOf'] = (_, path) => path,
): Promise<UnderTest> {
  const child = startChild<Server>(file)
  return { name, child, url: await child.call.listen(database), pathOf }
}

async function runTurn(
  load: Child<LoadGenerator>,
  server: UnderTest,
  question: Question,
  seconds: number,
): Promise<Turn> {
  const { child, url } = server
  const paths = question.paths.map((path) => server.pathOf(question, path))
  const before = await child.call.cpu()
  const result = await load.call.run(url, paths, seconds)
  const cpuUs = ((await child.call.cpu()) - before) / result.requests
  return { ...result, cpuUs }
}

/** A server that answers something else is no ceiling. Only cursors differ. */
async function compareAnswers(ours: UnderTest, bare: UnderTest, question: Question): Promise<void> {
  const { name, paths } = question
  let found = 0
  for (const asked of paths) {
    const [mine, its] = await Promise.all(
      [ours, bare].map(async ({ url, pathOf }) => (await fetch(url + pathOf(question, asked))).json()),
    )
    for (const answer of [mine, its]) delete answer.cursor
    if (!isDeepStrictEqual(mine, its)) throw new Error(`${name}: the answers differ at ${asked}`)
    found += mine.records?.length ?? 1
  }
  if (found === 0) throw new Error(`${name}: nothing to compare`)
}
