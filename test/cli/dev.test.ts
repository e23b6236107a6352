import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../fixtures/network/index.ts'
import { type Running, TestProject } from './project.ts'

let network: Network
let project: TestProject
let running: Running | undefined

beforeAll(async () => {
  network = await startNetwork({ accounts: 6, events: 8, rsvps: 20 })
})

afterAll(() => network.close())

beforeEach(async () => {
  project = new TestProject()
  await project.run('init')
  const local = {
    jetstreams: [network.jetstream],
    relays: [network.relay],
    plc: network.plc,
    allowHosts: ['127.0.0.1'],
  }
  edit('\n})', `\n  ...${JSON.stringify(local)},\n})`)
})

afterEach(async () => {
  running?.process.kill('SIGKILL')
  await running?.ended
  project.remove()
})

function edit(from: string, to: string): void {
  const config = project.read('lexidex.config.ts')
  expect(config).toContain(from)
  project.write('lexidex.config.ts', config.replace(from, to))
}

/** Where the index is served, after it was started for the `count`th time. */
async function serving(count = 1): Promise<string> {
  await running!.until('Serving ', count)
  return [...running!.stdout.matchAll(/Serving (http[^\s,]+)/g)][count - 1]![1]!
}

async function events(url: string): Promise<number> {
  const response = await fetch(`${url}/xrpc/com.example.event.listRecords?limit=100`)
  return (await response.json()).records.length
}

const all = () => network.records(EVENT).length

it('generates, fills, serves with a page, and starts anew on a change', async () => {
  running = project.start('dev', '--port', '0')
  const url = await serving()
  expect(running.stdout).toContain('+ index.ts')
  const page = await fetch(url, { headers: { accept: 'text/html' } })
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  await expect.poll(() => events(url), { timeout: 30_000 }).toBe(all())
  // Programs of this machine need no secret.
  expect((await fetch(`${url}/xrpc/com.example.admin.quarantine`)).status).toBe(200)

  // A problem leaves the index as it is.
  await running.until('Waiting for changes')
  edit("namespace: 'com.example'", "namespace: 'com example'")
  await running.until('Waiting for changes', 2)
  expect(running.stderr).toContain('namespace')
  expect(await events(url)).toBe(all())

  // Other tables need another database; the address stays.
  edit("namespace: 'com example'", "namespace: 'com.example'")
  edit('startsAt: {', 'endsAt: {')
  expect(await serving(2)).toBe(url)
  expect(running.stderr).toContain('it is lexidex.sqlite.old now')
  await expect.poll(() => events(url), { timeout: 30_000 }).toBe(all())
  const answer = await fetch(`${url}/xrpc/com.example.event.listRecords?endsAtMin=2000-01-01T00:00:00Z`)
  expect(answer.status).toBe(200)

  running.process.kill('SIGINT')
  const ended = await running.ended
  expect(ended).toMatchObject({ code: 0, stderr: expect.stringContaining('Stopped.') })
  expect(count('lexidex.sqlite')).toBe(all())
  expect(count('lexidex.sqlite.old')).toBe(all())
  expect(network.subscribers).toBe(0)
})

it('goes on from where it was', async () => {
  for (const stop of ['SIGINT', 'SIGTERM'] as const) {
    running = project.start('dev', '--port', '0', '--no-ingest')
    const url = await serving()
    await running.until('Backfill: ')
    expect(await events(url)).toBe(all())
    running.process.kill(stop)
    expect(await running.ended).toMatchObject({ code: 0 })
  }
  expect(running!.stderr).not.toContain('.old')
})

it('ends where it cannot be served even once', async () => {
  running = project.start('dev', '--port', '0', '--no-ingest', '--no-backfill')
  const { port } = new URL(await serving())
  const second = await project.run('dev', '--port', port, '--db', 'b.sqlite', '--no-ingest', '--no-backfill')
  expect(second.code).toBe(1)
  expect(second.stderr).toContain('Another process listens there')
})

function count(file: string): number {
  const database = new DatabaseSync(path.join(project.root, file), { readOnly: true })
  try {
    return Number(database.prepare('SELECT count(*) AS n FROM event').get()!.n)
  } finally {
    database.close()
  }
}
