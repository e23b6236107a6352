import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../fixtures/network/index.ts'
import { TestProject } from './project.ts'

let network: Network
let project: TestProject

beforeAll(async () => {
  network = await startNetwork({ accounts: 5, events: 8, rsvps: 20 })
})
afterAll(() => network.close())

beforeEach(async () => {
  project = new TestProject()
  await project.run('init')
  const config = project.read('lexidex.config.ts')
  const { jetstream, relay, plc } = network
  const local = { jetstreams: [jetstream], relays: [relay], plc, allowHosts: ['127.0.0.1'] }
  project.write('lexidex.config.ts', config.replace('\n})', `\n  ...${JSON.stringify(local)},\n})`))
  await project.run('generate')
})
afterEach(() => {
  delete network.faults.pds
  project.remove()
})

function uris(): string[] {
  const database = new DatabaseSync(path.join(project.root, 'lexidex.sqlite'), { readOnly: true })
  try {
    return database
      .prepare('SELECT uri FROM event ORDER BY uri')
      .all()
      .map(({ uri }) => String(uri))
  } finally {
    database.close()
  }
}

const held = (wanted: (did: string) => boolean = () => true) =>
  network
    .records(EVENT)
    .filter(({ did }) => wanted(did))
    .map(({ uri }) => uri)
    .sort()

it('backfill takes accounts from the command line and from a file', async () => {
  const [first, second, third] = network.accounts.map(({ did }) => did)
  project.write('accounts.csv', `did,handle\n${first},a\nnonsense,b\n${second},c\n`)
  const limits = ['--pds-concurrency', '1', '--dids-per-pds', '2', '--max-attempts', '3']
  const ended = await project.run('backfill', '--from-file', 'accounts.csv', '--did', `${third},${first}`, ...limits)
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Backfill: \d+ records, 0 new accounts, /) })
  expect(ended.stderr).toContain('accounts.csv:3: skipped, no DID: "nonsense,b"')
  expect(uris()).toEqual(held((did) => [first, second, third].includes(did)))

  expect(await project.run('backfill', '--from-file', 'gone.csv')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('gone.csv cannot be read'),
  })
  expect(await project.run('backfill', '--did', 'alice.test')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Not a DID: alice.test'),
  })
})

it('refresh reports what it found, mends it, and finds nothing the next time', async () => {
  await project.run('backfill')
  const { did } = network.accounts[0]!
  network.put(did, EVENT, 'soup', { $type: EVENT, name: 'Soup', createdAt: '2026-01-16T09:00:00Z' })
  const gone = network.records(EVENT)[0]!
  network.delete(gone.did, EVENT, gone.rkey)

  const first = await project.run('refresh', '--by-collection', '--ignore-window', '0')
  expect(first).toMatchObject({ code: 0 })
  expect(first.stdout).toMatch(
    /^by collection:\n {2}community.lexicon.calendar.event\n {4}1 missing, 0 stale updates, 7 in sync, 1 deleted\n/,
  )
  expect(first.stdout).toMatch(/\n {2}5 users scanned in \d+\.\ds\n {2}\(ignore window: 0s\)\n$/)
  expect(uris()).toEqual(held())

  const second = await project.run('refresh', '--did', did)
  expect(second.stdout).toMatch(
    /^total:\n {2}0 missing, 0 stale updates, 0 in sync\n {2}1 users scanned in \d+\.\ds\n {2}\(1 skipped: .*\)\n {2}\(ignore window: 60s\)\n$/,
  )
})

it('refresh that Ctrl-C cuts short reports what it has done', async () => {
  await project.run('backfill')
  const asked = new Promise<void>((resolve) => {
    network.faults.pds = () => {
      resolve()
      return new Promise(() => {})
    }
  })
  const running = project.start('refresh')
  await asked
  running.process.kill('SIGINT')
  expect(await running.ended).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('0 users scanned'),
    stderr: expect.stringContaining('Cut short'),
  })
})
