import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../fixtures/network/index.ts'
import { TestProject } from './project.ts'

/** The commands that look at an index: `status` and `quarantine`. */

let network: Network
let project: TestProject

beforeAll(async () => {
  network = await startNetwork({ accounts: 4, events: 6, rsvps: 10 })
  const { did } = network.accounts[0]!
  for (let i = 0; i < 3; i++) network.put(did, EVENT, `broken-${i}`, { $type: EVENT, name: i })
  // Its time is none, which only a strict reader minds.
  network.put(did, EVENT, 'odd', { $type: EVENT, name: 'Odd', createdAt: 'some day' })
  project = new TestProject()
  validate('strict')
  await project.run('generate')
  expect(await project.run('backfill')).toMatchObject({ code: 0 })
})
afterAll(async () => {
  project.remove()
  await network.close()
})

function validate(mode: string): void {
  const hosts = {
    jetstreams: [network.jetstream],
    relays: [network.relay],
    plc: network.plc,
    allowHosts: ['127.0.0.1'],
  }
  project.write(
    'lexidex.config.ts',
    `import { defineConfig } from 'lexidex'
export default defineConfig({
  namespace: 'com.example',
  collections: { event: { collection: '${EVENT}', validate: '${mode}' } },
  profiles: [],
  ...${JSON.stringify(hosts)},
})
`,
  )
}

const json = async (...args: string[]) => JSON.parse((await project.run(...args, '--json')).stdout)

describe('status', () => {
  it('shows what is there and what is left to do', async () => {
    const { code, stdout } = await project.run('status')
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`event: 6 records of ${EVENT}`))
    expect(stdout).toMatch(/Accounts\n {2}\d active\n {2}\d not looked up yet/)
    expect(stdout).toMatch(/\d completed, 0 pending, 0 to be tried again, 0 given up/)
    expect(stdout).toMatch(/Quarantined\n {2}3 of .*name/)
    expect(stdout).toMatch(/Stream\n {2}read up to \d{4}-/)

    expect(await json('status')).toMatchObject({
      collections: [{ name: 'event', records: 6 }],
      quarantined: 4,
      checks: { failing: 0, due: 0 },
      backfill: [{ collection: EVENT, failed: 0 }],
    })
  })

  it('works while another process is writing', async () => {
    const writer = new DatabaseSync(path.join(project.root, 'lexidex.sqlite'))
    try {
      writer.exec("BEGIN IMMEDIATE; UPDATE lexidex_account SET status = 'suspended'")
      expect((await json('status')).hosting).toEqual([{ status: 'active', accounts: expect.any(Number) }])
      writer.exec('COMMIT')
      expect((await json('status')).hosting).toEqual([{ status: 'suspended', accounts: expect.any(Number) }])
      writer.exec("UPDATE lexidex_account SET status = 'active'")
    } finally {
      writer.close()
    }
  })

  it('does not make a database', async () => {
    const ended = await project.run('status', '--db', 'missing.sqlite')
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('missing.sqlite does not exist') })
    expect(ended.stderr).toContain('lexidex backfill')
  })
})

describe('quarantine', () => {
  it('lists refused records with the reasons', async () => {
    const { code, stdout } = await project.run('quarantine', 'list')
    expect(code).toBe(0)
    expect(stdout).toMatch(/broken-0\n {2}Record\/.*\n {2}rev \w{13}, refused /)
    const page = await project.run('quarantine', 'list', '--collection', 'event', '--limit', '2')
    expect(page.stdout.match(/^at:/gm)).toHaveLength(2)
    const after = /--after (\S+)/.exec(page.stderr)![1]!
    expect(await json('quarantine', 'list', '--after', after)).toHaveLength(2)
    const [{ record }] = await json('quarantine', 'list', '--uri', after)
    expect(record).toEqual({ $type: EVENT, name: 1 })
  })

  it.each([
    [['quarantine', 'retry'], 1, /--uri, --collection or --all/],
    [['quarantine', 'list', '--collection', 'evnet'], 1, /one of: event/],
    [['quarantine', '--help'], 0, /list[\s\S]*retry[\s\S]*Examples:/],
    [['quarantine', 'list', '--help'], 0, /--after <uri>/],
    [['quarantine', 'purge'], 2, /unknown command|too many arguments/],
  ])('%j ends with %i', async (args, code, output) => {
    const ended = await project.run(...args)
    expect(ended.stdout + ended.stderr).toMatch(output)
    expect(ended.code).toBe(code)
  })

  it('tries them again after the config was changed', async () => {
    validate('lenient')
    await project.run('generate')
    const first = await project.run('quarantine', 'retry', '--all')
    expect(first).toMatchObject({ code: 0, stdout: 'Tried 4 again: 1 indexed, 3 still refused.\n' })
    validate('off')
    await project.run('generate')
    expect(await json('quarantine', 'retry', '--collection', 'event')).toEqual({
      retried: 3,
      applied: 3,
      stillRefused: 0,
    })
    expect((await project.run('quarantine', 'list')).stdout).toBe('Nothing is quarantined.\n')
  })
})
