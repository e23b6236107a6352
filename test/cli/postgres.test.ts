import { afterEach, beforeEach, expect, it } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../fixtures/network/index.ts'
import { openPostgres, type PostgresDatabase } from '../storage/postgres-harness.ts'
import { type Running, TestProject } from './project.ts'

let network: Network
let database: PostgresDatabase
let project: TestProject
let running: Running[] = []

beforeEach(async () => {
  network = await startNetwork({ accounts: 6, events: 8, rsvps: 20 })
  database = await openPostgres()
  project = new TestProject()
})

afterEach(async () => {
  for (const { process } of running) process.kill('SIGKILL')
  await Promise.all(running.map(({ ended }) => ended))
  running = []
  project.remove()
  await network.close()
  await database.drop()
})

async function generate(): Promise<void> {
  await project.run('init')
  const local = {
    database: 'postgres',
    jetstreams: [network.jetstream],
    relays: [network.relay],
    plc: network.plc,
    allowHosts: ['127.0.0.1'],
  }
  const config = project.read('lexidex.config.ts')
  project.write('lexidex.config.ts', config.replace('\n})', `\n  ...${JSON.stringify(local)},\n})`))
  await project.run('generate')
}

it('processes with roles share what DATABASE_URL names: one fills it, one follows, one serves', async () => {
  await generate()
  project.env.DATABASE_URL = database.url
  // One that serves reads it from here too, as a server that is no replica and never behind.
  project.env.DATABASE_READ_URL = database.url
  running = ['backfill', 'ingest', 'serve'].map((role) => project.start('start', '--role', role, '--port', '0'))
  const [backfill, ingest, serve] = running
  await backfill!.until('Backfill: ')
  await ingest!.until('Started (ingest)')
  await serve!.until('Serving ')
  const url = `${/Serving (\S+)/.exec(serve!.stdout)![1]!}/xrpc/com.example.event.listRecords?limit=100`
  const listed = async () => ((await (await fetch(url)).json()) as { records: { uri: string }[] }).records
  expect(await listed()).toHaveLength(network.records(EVENT).length)

  const value = { $type: EVENT, name: 'Lantern walk', createdAt: '2026-01-16T09:00:00.000Z' }
  const { uri } = network.put(network.accounts[0]!.did, EVENT, undefined, value)
  while (!(await listed()).some((record) => record.uri === uri)) await new Promise((resolve) => setTimeout(resolve, 50))

  const status = await project.run('status', '--json')
  expect(JSON.parse(status.stdout)).toMatchObject({ collections: expect.any(Array) })
  for (const { process } of running) process.kill('SIGINT')
  expect((await Promise.all(running.map(({ ended }) => ended))).map(({ code }) => code)).toEqual([0, 0, 0])
})

it('cuts tables into partitions where the config has come to say so', async () => {
  await generate()
  project.env.DATABASE_URL = database.url
  const first = await project.run('repartition')
  expect(first.stdout).toBe('Applied 0001_init.\nEvery table is as the config states.\n')
  const config = project.read('lexidex.config.ts')
  project.write('lexidex.config.ts', config.replace('event: {', 'event: {\n      partitions: 4,'))
  await project.run('generate')
  const second = await project.run('repartition')
  expect([second.stdout, second.stderr]).toEqual(['Copied event.\n', ''])
  const refused = await project.run('repartition', '--db', 'index.sqlite')
  expect(refused.stderr).toContain('Only a Postgres database has partitions.')
})

it('says what is wrong with a URL', async () => {
  await generate()
  const wrong = await project.run('status', '--database', 'mysql://localhost/index')
  expect(wrong.code).toBe(1)
  expect(wrong.stderr).toContain('The database is not one of Postgres.')
})
