import { Miniflare } from 'miniflare'
import type { CommitFrame } from '../../../fixtures/network/frames.ts'
import { startNetwork } from '../../../fixtures/network/index.ts'
import { bundleWorker } from '../../worker/bundle.ts'
import { COMMON_WORD, calendarFrames, RARE_WORD } from '../calendar.ts'
import { type Bench, type BenchOptions, median, type Table } from '../report.ts'
import { rowsOf } from './raw.ts'
import type { Task } from './worker.ts'

const BATCH = 500

const QUESTIONS = [
  { name: 'list 50 events', path: 'event.listRecords', bare: 'list', isKept: false },
  { name: 'the same page again', path: 'event.listRecords', bare: 'list', isKept: true },
  { name: 'list, hydrateRsvps=5', path: 'event.listRecords?hydrateRsvps=5', bare: 'hydrated', isKept: false },
  { name: 'search, rare word', path: `event.listRecords?search=${RARE_WORD}`, bare: 'searchRare', isKept: false },
  { name: 'search, common word', path: `event.listRecords?search=${COMMON_WORD}`, bare: 'searchCommon', isKept: false },
] as const

/** All in workerd: a Worker of ours, and statements by hand on the same kind of database. */
export const d1Bench: Bench = {
  name: 'd1',
  summary: 'D1 in workerd: live apply, backfill and reads, each beside the same by hand',
  async run(options) {
    const { code } = await bundleWorker('test/bench/d1/worker.ts', { minify: true })
    return [await writes(code, options), await reads(code, options)]
  },
}

/** A Worker with two empty, migrated databases. */
async function start(code: string) {
  const miniflare = new Miniflare({
    modules: true,
    script: code,
    compatibilityDate: '2026-07-01',
    d1Databases: { OURS: 'ours', RAW: 'raw' },
  })
  const perform = async (task: Task): Promise<any> => {
    const response = await miniflare.dispatchFetch('http://bench', { method: 'POST', body: JSON.stringify(task) })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return JSON.parse(text)
  }
  return { perform, stop: () => miniflare.dispose() }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return (performance.now() - startedAt) / 1000
}

function batches(frames: number, size: number): CommitFrame[][] {
  const all = [...calendarFrames(frames)]
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}

async function writes(code: string, { quick, progress }: BenchOptions): Promise<Table> {
  const rows: Table['rows'][number][] = []
  const frames = quick ? 10_000 : 50_000
  const worker = await start(code)
  try {
    await worker.perform({ kind: 'migrate', network: NOWHERE })
    // In turns, so that what else the machine does meets both.
    let ours = 0
    let raw = 0
    for (const part of batches(frames, BATCH)) {
      const batch = rowsOf(part)
      ours += await seconds(() => worker.perform({ kind: 'apply', frames: part }))
      raw += await seconds(() => worker.perform({ kind: 'applyRaw', batch }))
    }
    progress('d1: live apply')
    rows.push(rowOf(`live apply, ${BATCH} a batch`, frames / ours, frames / raw))
  } finally {
    await worker.stop()
  }
  rows.push(...(await backfill(code, quick)))
  progress('d1: backfill')
  return {
    title: 'D1 in workerd, writes: records a second',
    rows,
    notes: [
      'by hand: one batch of statements over json_each, rows made before; the same schema, indexes, triggers and search.',
      'Ours validates. Backfills fetch from PDSes on loopback, in another process of the same machine; by hand, each collection',
      'of the same accounts is listed and written as it comes, without a word on where that stopped.',
    ],
  }
}

/** For what is measured without a network. */
const NOWHERE = { jetstreams: [], relays: [], plc: 'http://127.0.0.1:9' }

async function backfill(code: string, quick: boolean) {
  const network = await startNetwork({ accounts: 200, events: 500, rsvps: quick ? 5_000 : 20_000, pdsCount: 8 })
  const worker = await start(code)
  try {
    const options = {
      jetstreams: [network.jetstream],
      relays: [network.relay],
      plc: network.plc,
      allowHosts: network.pds.map((url) => new URL(url).host),
    }
    await worker.perform({ kind: 'migrate', network: options })
    let done = { records: 0, failed: 0 }
    const ours = await seconds(async () => {
      done = await worker.perform({ kind: 'backfill', network: options })
    })
    if (done.failed > 0) throw new Error(`${done.failed} listings were lost`)
    const accounts = network.accounts.map(({ did, pds }) => ({ did, pds }))
    let listed = 0
    const byHand = await seconds(async () => {
      listed = (await worker.perform({ kind: 'backfillByHand', accounts })).records
    })
    if (listed !== done.records) throw new Error(`${done.records} records, ${listed} by hand`)
    const parts = batches(done.records, 1000).map(rowsOf)
    let raw = 0
    for (const batch of parts) raw += await seconds(() => worker.perform({ kind: 'applyRaw', batch }))
    return [
      rowOf('backfill, 200 accounts', done.records / ours, done.records / byHand),
      rowOf('the same, by hand without fetching', done.records / ours, done.records / raw),
    ]
  } finally {
    await worker.stop()
    await network.close()
  }
}

async function reads(code: string, { quick, progress }: BenchOptions): Promise<Table> {
  const frames = quick ? 10_000 : 50_000
  const times = quick ? 100 : 400
  const worker = await start(code)
  const rows: Table['rows'][number][] = []
  try {
    await worker.perform({ kind: 'migrate', network: NOWHERE })
    for (const part of batches(frames, BATCH)) await worker.perform({ kind: 'apply', frames: part })
    for (const { name, path, bare, isKept } of QUESTIONS) {
      progress(`d1: ${name}`)
      const asked = { times, atOnce: 4 }
      const what = `/xrpc/com.example.${path}`
      const ours: number[] = []
      const raw: number[] = []
      // Once before, and a look at what is compared.
      const one = [
        await worker.perform({ kind: 'read', what, isKept }),
        await worker.perform({ kind: 'readBare', what: bare }),
      ]
      const [own, byHand] = one.map(({ bytes }) => bytes as number)
      if (own! < 0.9 * byHand! || own! > 1.3 * byHand!) throw new Error(`${name}: ${own} bytes, by hand ${byHand}`)
      for (let round = 0; round < 3; round++) {
        ours.push(times / (await seconds(() => worker.perform({ kind: 'read', what, isKept, ...asked }))))
        raw.push(times / (await seconds(() => worker.perform({ kind: 'readBare', what: bare, ...asked }))))
      }
      rows.push(rowOf(name, median(ours), median(raw)))
    }
  } finally {
    await worker.stop()
  }
  return {
    title: `D1 in workerd, reads of ${frames.toLocaleString('en-US')} writes: answers a second`,
    rows,
    notes: [
      'by hand: one statement and the records spliced. Both in the Worker, 4 at a time; the middle of 3 rounds.',
      'The same page again: an answer that is kept, after one question whether anything was written since.',
    ],
  }
}

function rowOf(what: string, ours: number, raw: number) {
  return { what, ours: Math.round(ours), 'by hand': Math.round(raw), 'of that, %': Math.round((100 * ours) / raw) }
}
