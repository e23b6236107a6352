import { readdirSync, symlinkSync, unlinkSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../fixtures/network/index.ts'
import { readCron } from '../../generator/cli/cron.ts'
import { writeConfigFor } from '../../generator/cli/wrangler.ts'
import { QUIET } from '../worker/wrangler.ts'
import { type Running, TestProject } from './project.ts'

let network: Network
let project: TestProject
let running: Running | undefined

const wrangler = () => path.join(project.root, 'node_modules/wrangler')

beforeAll(async () => {
  network = await startNetwork({ accounts: 5, events: 8, rsvps: 20, clock: Date.now })
  project = new TestProject()
  Object.assign(project.env, QUIET)
  symlinkSync(path.resolve(import.meta.dirname, '../../node_modules/wrangler'), wrangler(), 'dir')
  await project.run('init')
  const { jetstream, relay, plc } = network
  const local = { jetstreams: [jetstream], relays: [relay], plc, allowHosts: ['127.0.0.1'], database: 'd1' }
  const config = project.read('lexidex.config.ts')
  project.write('lexidex.config.ts', config.replace('\n})', `\n  ...${JSON.stringify(local)},\n})`))
  project.write(
    'wrangler.jsonc',
    `{
  // With a comment.
  "name": "index",
  "main": "src/index.ts",
  "compatibility_date": "2026-07-01",
  "triggers": { "crons": ["*/2 * * * *"] },
  "d1_databases": [{ "binding": "DB", "database_name": "index", "database_id": "one" }]
}`,
  )
  project.write(
    'src/index.ts',
    `import { createWorker } from 'lexidex/worker'
import { createIndexer } from './lexidex/index.js'
export default createWorker(createIndexer)
`,
  )
  await project.run('generate')
})
afterEach(async () => {
  // It ends Wrangler with itself.
  running?.process.kill('SIGINT')
  await running?.ended
  running = undefined
})
afterAll(async () => {
  project.remove()
  await network.close()
})

const SLOW = { timeout: 240_000 }
const putEvent = (rkey: string) =>
  network.put(network.accounts[0]!.did, EVENT, rkey, { $type: EVENT, name: rkey, createdAt: new Date().toISOString() })

/** Sets back how far the stream of the local database was read. */
function leaveStream(seconds: number): void {
  const folder = path.join(project.root, '.wrangler/state/v3/d1')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.sqlite'))
  const changed = files.map((file) => {
    const database = new DatabaseSync(path.join(folder, file))
    try {
      if (database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'lexidex_cursor'").get() === undefined) return 0
      return Number(
        database
          .prepare('UPDATE lexidex_cursor SET cursor = CAST(CAST(cursor AS INTEGER) - CAST(? AS INTEGER) AS TEXT)')
          .run(seconds * 1_000_000).changes,
      )
    } finally {
      database.close()
    }
  })
  expect(changed.reduce((sum, count) => sum + count, 0)).toBe(1)
}

// In this order, on one database: Wrangler takes seconds to start.
describe('a Wrangler project', () => {
  it('has a database to look at once it is migrated', SLOW, async () => {
    expect(await project.run('status', '--d1')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('lacks migrations'),
    })
  })

  it('is developed with Wrangler; what is offered is declined where nobody can answer', SLOW, async () => {
    running = project.start('dev', '--port', '0', '--no-ingest')
    await running.until('Serving http')
    expect(running.stderr).toContain('D1 database DB (local): applied 0001_init')
    expect(running.stderr).toContain('`lexidex backfill --d1` fetches it')
    expect(running.stdout).not.toContain('new accounts')
  })

  it('is backfilled when it is begun, and filled by its cron trigger', SLOW, async () => {
    running = project.start('dev', '--port', '0', '--yes')
    await running.until('Serving http')
    expect(running.stdout).toContain('5 new accounts')
    const url = /Serving (http\S+)/.exec(running.stdout)![1]!
    const rkeys = async () => {
      const response = await fetch(`${url}/xrpc/com.example.event.listRecords?limit=100`)
      return ((await response.json()) as any).records.map((record: any) => record.rkey)
    }
    expect(await rkeys()).toHaveLength(network.records(EVENT).length)
    // The first cycle comes after 3 s.
    putEvent('live')
    await expect.poll(rkeys, { timeout: 60_000, interval: 500 }).toContain('live')
    running.process.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 0 })
  })

  it('has what was missed fetched by a refresh, and tells how it stands', SLOW, async () => {
    putEvent('missed')
    expect(await project.run('refresh', '--d1')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 missing'),
    })
    const status = JSON.parse((await project.run('status', '--d1', '--json')).stdout)
    expect(status.collections).toContainEqual(expect.objectContaining({ name: 'event', records: 10 }))
  })

  it('is refreshed when it is begun after the stream was left for long', SLOW, async () => {
    leaveStream(2 * 60 * 60)
    putEvent('unseen')
    running = project.start('dev', '--port', '0', '--no-ingest')
    await running.until('Serving http')
    expect(running.stderr).toMatch(/The stream was left 12\d minutes ago: `lexidex refresh --d1` finds what was missed/)
    running.process.kill('SIGINT')
    await running.ended
    running = project.start('dev', '--port', '0', '--no-ingest', '--yes')
    await running.until('Serving http')
    expect(running.stdout).toContain('1 missing, 0 stale updates')
  })

  it('is told what is missing', SLOW, async () => {
    expect(await project.run('backfill', '--remote')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Add --d1'),
    })
    expect(await project.run('backfill', '--d1', '--binding', 'INDEX')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no D1 database with the binding INDEX[\s\S]*It has DB/),
    })
    unlinkSync(wrangler())
    expect(await project.run('backfill', '--d1')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('npm install --save-dev wrangler'),
    })
  })
})

describe('the deployed database', () => {
  it('is opened by a config of its own, with nothing else in it', async () => {
    const config = {
      file: '',
      name: 'index',
      accountId: 'me',
      compatibilityDate: '2026-07-01',
      databases: [],
      crons: [],
    }
    const database = { binding: 'DB', database_id: 'one' }
    const file = writeConfigFor(config, database, { state: path.join(project.root, '.wrangler'), isRemote: true })
    expect(JSON.parse(project.read(path.relative(project.root, file)))).toEqual({
      name: 'index',
      account_id: 'me',
      compatibility_date: '2026-07-01',
      d1_databases: [{ binding: 'DB', database_id: 'one', remote: true }],
    })
  })
})

describe('a cron expression', () => {
  const at = (text: string) => new Date(`2026-01-${text}:00Z`)

  it.each([
    ['* * * * *', '05T10:07', true],
    ['*/5 * * * *', '05T10:10', true],
    ['*/5 * * * *', '05T10:11', false],
    ['5/20 * * * *', '05T10:45', true],
    ['0,30 9-17 * * *', '05T17:30', true],
    ['0,30 9-17 * * *', '05T18:00', false],
    // A Monday.
    ['0 0 * * 1', '05T00:00', true],
    ['0 0 * * 7', '04T00:00', true],
    ['0 0 * * 7', '05T00:00', false],
    ['0 0 13 * 1', '05T00:00', true],
    ['0 0 13 * 1', '06T00:00', false],
    ['0 0 1 2 *', '01T00:00', false],
  ])('%s at %s', (expression, time, expected) => {
    expect(readCron(expression)(at(time))).toBe(expected)
  })

  it.each(['', '* * * *', '60 * * * *', '*/0 * * * *', '5-1 * * * *', 'a * * * *', '* * 0 * *'])(
    'not: "%s"',
    (text) => {
      expect(() => readCron(text)).toThrow('Not a cron expression')
    },
  )
})
