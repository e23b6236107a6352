import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { EVENT, type Network, RSVP, startNetwork } from '../../fixtures/network/index.ts'
import { type Running, TestProject } from './project.ts'

let network: Network
let project: TestProject
let running: Running | undefined

beforeAll(async () => {
  network = await startNetwork({ accounts: 6, events: 8, rsvps: 20 })
})

afterAll(() => network.close())

beforeEach(() => {
  project = new TestProject()
})

afterEach(async () => {
  running?.process.kill('SIGKILL')
  await running?.ended
  project.remove()
})

async function generate(): Promise<void> {
  await project.run('init')
  const config = project.read('lexidex.config.ts')
  const local = {
    jetstreams: [network.jetstream],
    relays: [network.relay],
    plc: network.plc,
    allowHosts: ['127.0.0.1'],
  }
  project.write('lexidex.config.ts', config.replace('\n})', `\n  ...${JSON.stringify(local)},\n})`))
  const ended = await project.run('generate')
  expect(ended.stderr + ended.stdout).toContain('+ index.ts')
}

function count(table: string, file = 'lexidex.sqlite'): number {
  const database = new DatabaseSync(path.join(project.root, file), { readOnly: true })
  try {
    return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!.n)
  } finally {
    database.close()
  }
}

async function serving(): Promise<string> {
  await running!.until('Serving ')
  return /Serving (\S+)/.exec(running!.stdout)![1]!
}

/** Asks again until the answer is as wanted. */
async function eventually(url: string, wanted: (body: any) => boolean): Promise<any> {
  for (;;) {
    const body = await (await fetch(url)).json()
    if (wanted(body)) return body
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

it('backfill fetches everything and ends', async () => {
  await generate()
  const first = await project.run('backfill', '--db', 'other.sqlite', '--concurrency', '4')
  expect(first.stderr).toContain('applied 0001_init')
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Backfill: \d+ records, 6 new accounts, /m) })
  expect(count('event', 'other.sqlite')).toBe(network.records(EVENT).length)
  expect(count('rsvp', 'other.sqlite')).toBe(network.records(RSVP).length)

  const second = await project.run('backfill', '--db', 'other.sqlite')
  expect(second.stdout).toMatch(/^Backfill: 0 records, 0 new accounts, /m)
})

it('start backfills, follows the stream, serves, and ends in good order', async () => {
  await generate()
  running = project.start('start', '--port', '0')
  const list = `${await serving()}/xrpc/com.example.event.listRecords?limit=100`
  await running.until('Backfill: ')
  await eventually(list, (body) => body.records.length === network.records(EVENT).length)

  const { did } = network.accounts[0]!
  const value = { $type: EVENT, name: 'Lantern walk', createdAt: '2026-01-16T09:00:00.000Z' }
  const { uri } = network.put(did, EVENT, undefined, value)
  await eventually(list, (body) => body.records.some((record: { uri: string }) => record.uri === uri))
  // Errors of the store are those of the router: not of another copy of the same classes.
  expect((await fetch(`${list}&search=${encodeURIComponent('"open')}`)).status).toBe(400)

  running.process.kill('SIGINT')
  const ended = await running.ended
  expect(ended.stderr).toContain('Stopped.')
  expect(ended.code).toBe(0)
  expect(count('event')).toBe(network.records(EVENT).length)
})

it('start takes the secret of notifyOfUpdate from the environment', async () => {
  await generate()
  project.env.LEXIDEX_NOTIFY_SECRET = 'open-sesame'
  running = project.start('start', '--port', '0', '--no-ingest', '--no-backfill')
  const url = `${await serving()}/xrpc/com.example.notifyOfUpdate`
  const post = async (headers: Record<string, string>) => {
    const body = JSON.stringify({ uri: network.records(EVENT)[0]!.uri })
    return (await fetch(url, { method: 'POST', body, headers })).json()
  }
  expect(await post({})).toMatchObject({ error: 'unauthorized' })
  expect(await post({ authorization: 'Bearer open-sesame' })).toEqual({ indexed: 1, deleted: 0 })
})

it('start skips the backfill where the stream makes up for everything, and opens the admin routes to a secret', async () => {
  await generate()
  expect(await project.run('backfill')).toMatchObject({ code: 0 })
  running = project.start('start', '--port', '0')
  await running.until('Backfill: not needed (cursor_fresh).')
  expect(running.stdout).toContain('backfill.decision {"status":"not_needed","reason":"cursor_fresh"')
  const admin = `${await serving()}/xrpc/com.example.admin.backfill/1`
  expect((await fetch(admin)).status).toBe(503)
  running.process.kill('SIGINT')
  expect((await running.ended).code).toBe(0)

  project.env.LEXIDEX_ADMIN_SECRET = 'open-sesame'
  running = project.start('start', '--port', '0', '--no-ingest', '--no-backfill')
  const url = `${await serving()}/xrpc/com.example.admin.backfill/1`
  const answer = await fetch(url, { headers: { authorization: 'Bearer open-sesame' } })
  expect(await answer.json()).toMatchObject({ id: '1', status: 'completed', type: 'full_sync' })
})

it('a backfill that Ctrl-C cuts short is gone on with by the next', async () => {
  await generate()
  try {
    await new Promise<void>((resolve) => {
      network.faults.pds = () => {
        resolve()
        return new Promise(() => {})
      }
      running = project.start('backfill')
    })
    running!.process.kill('SIGINT')
    const ended = await running!.ended
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('Cut short') })
  } finally {
    delete network.faults.pds
  }
  expect(await project.run('backfill')).toMatchObject({ code: 0 })
  expect(count('event')).toBe(network.records(EVENT).length)
})

it('start asks for ES modules', async () => {
  await generate()
  project.write('package.json', '{}')
  const ended = await project.run('start')
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('"type": "module"') })
})

it('start serves what is there, and nothing else where told so', async () => {
  await generate()
  running = project.start('start', '--port', '0', '--no-ingest', '--no-backfill')
  const url = await serving()
  expect(await (await fetch(`${url}/xrpc/com.example.event.listRecords`)).json()).toEqual({ records: [] })

  const second = await project.run(
    'start',
    '--port',
    new URL(url).port,
    '--no-ingest',
    '--no-backfill',
    '--db',
    'b.sqlite',
  )
  expect(second.code).toBe(1)
  expect(second.stderr).toContain('Another process listens there')

  running.process.kill('SIGTERM')
  expect((await running.ended).code).toBe(0)
  expect(network.subscribers).toBe(0)
})
