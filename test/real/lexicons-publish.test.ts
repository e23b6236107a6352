/** `lexidex lexicons publish` as users run it, against a name server, a PLC directory and a PDS; and back by `pull`. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { TestProject } from '../cli/project.ts'
import { type RealAccount, type RealNetwork, startRealNetwork } from './atproto.ts'
import { type NameServer, startNameServer } from './dns.ts'

// Each step is a process of its own, and `generate` with an empty cache is among them.
vi.setConfig({ testTimeout: 180_000 })

const SCHEMA = 'com.atproto.lexicon.schema'

let network: RealNetwork
let dns: NameServer
let acme: RealAccount
let project: TestProject

const meetup = (description: string) => ({
  lexicon: 1,
  id: 'test.acme.meetup',
  defs: {
    main: {
      type: 'record',
      description,
      key: 'tid',
      record: { type: 'object', properties: { createdAt: { type: 'string', format: 'datetime' } } },
    },
  },
})
const foreign = { ...meetup('Not ours.'), id: 'test.other.meetup' }
const METHODS = ['getCursor', 'lexicons', 'meetup.defs', 'meetup.getRecord', 'meetup.listRecords']

beforeAll(async () => {
  network = await startRealNetwork()
  dns = await startNameServer()
}, 60_000)
afterAll(async () => {
  await dns?.close()
  await network?.close()
})

let accounts = 0
beforeEach(async () => {
  dns.txt.clear()
  acme = await network.createAccount(`acme${++accounts}.test`)
  project = new TestProject()
  Object.assign(project.env, {
    NODE_OPTIONS: dns.nodeOptions,
    LEXICON_ACCOUNT_IDENTIFIER: acme.did,
    LEXICON_ACCOUNT_PASSWORD: acme.password,
  })
  project.write('lexicons/test/acme/meetup.json', JSON.stringify(meetup('People who meet.')))
  project.write(
    'lexidex.config.ts',
    `export default {
      namespace: 'test.acme.index',
      collections: { meetup: { collection: 'test.acme.meetup', methods: ['listRecords', 'getRecord'] } },
      profiles: [],
      plc: '${network.plcUrl}',
      allowHosts: ['localhost'],
    }`,
  )
  expect(await project.run('generate')).toMatchObject({ code: 0 })
})
afterEach(() => project.remove())

const publish = (...args: string[]) => project.run('lexicons', 'publish', ...args)

/** NSIDs below the app's namespace that the account publishes, without it; others whole. */
async function published(): Promise<string[]> {
  const { data } = await acme.agent.com.atproto.repo.listRecords({ repo: acme.did, collection: SCHEMA, limit: 100 })
  return data.records.map(({ uri }) => uri.split('/').at(-1)!.replace('test.acme.index.', '')).sort()
}

test('shows a plan with the TXT records that are missing, and writes nothing without a yes', async () => {
  const { LEXICON_ACCOUNT_PASSWORD: _, ...env } = project.env
  for (const name of Object.keys(project.env)) delete project.env[name]
  Object.assign(project.env, env)
  const plan = await publish('--dry-run')
  expect(plan).toMatchObject({ code: 0, stderr: '' })
  const lines = plan.stdout.split('\n')
  expect(lines[0]).toBe(`acme${accounts}.test (${acme.did}) at ${network.pdsUrl}`)
  const listed = lines.filter((line) => line.startsWith('  + ')).map((line) => line.slice(4))
  expect(listed).toEqual(expect.arrayContaining(METHODS.map((name) => `test.acme.index.${name}`)))
  expect(plan.stdout).toContain('  test.acme.meetup: nobody has claimed _lexicon.acme.test\n')
  expect(plan.stdout).toContain(`\n  _lexicon.index.acme.test  TXT  "did=${acme.did}"\n`)
  expect(plan.stdout).toContain(`\n  _lexicon.meetup.index.acme.test  TXT  "did=${acme.did}"\n`)
  expect(await publish()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('LEXICON_ACCOUNT_PASSWORD is not set'),
  })

  project.env.LEXICON_ACCOUNT_PASSWORD = acme.password
  const declined = await publish()
  expect(declined).toMatchObject({ code: 1, stderr: 'Nothing was published. --yes publishes without asking.\n' })
  expect(await published()).toEqual([])
})

test('publishes, updates what has changed, and what it has published can be pulled', async () => {
  for (const authority of ['acme.test', 'index.acme.test', 'meetup.index.acme.test']) {
    dns.txt.set(`_lexicon.${authority}`, `did=${acme.did}`)
  }
  // Somebody else's, copied by hand, and one that was pulled.
  dns.txt.set('_lexicon.other.test', 'did=did:plc:aaaaaaaaaaaaaaaaaaaaaaaa')
  project.write('lexicons/foreign.json', JSON.stringify(foreign))
  const first = await publish('--yes')
  expect(first.code).toBe(0)
  expect(first.stdout).toContain('  test.other.meetup: _lexicon.other.test names did:plc:aaaaaaaaaaaaaaaaaaaaaaaa\n')
  expect(first.stdout).not.toContain('TXT records that are missing')
  expect(await published()).toEqual(expect.arrayContaining([...METHODS, 'test.acme.meetup']))
  expect(await published()).not.toContain('test.other.meetup')

  const again = await publish('--yes')
  expect(again.stdout).toMatch(/0 to create, 0 to update, \d+ unchanged/)
  expect(again.stdout).not.toContain('Published')

  project.write('lexicons/test/acme/meetup.json', JSON.stringify(meetup('Friends who meet.')))
  expect(await publish('--yes')).toMatchObject({ code: 1, stderr: expect.stringContaining('npx lexidex generate') })
  await project.run('generate')
  const changed = await publish('--yes')
  expect(changed.stdout).toContain(
    '  ~ test.acme.meetup\n      ~ defs.main.description: "People who meet." → "Friends who meet."\n',
  )
  expect(changed).toMatchObject({ code: 0, stderr: expect.stringContaining('test.acme.meetup\n') })

  const pulled = await project.run('lexicons', 'pull', 'test.acme.index.meetup.listRecords', '--out', 'vendor')
  expect(pulled).toMatchObject({ code: 0, stdout: expect.stringContaining('  + test.acme.index.meetup.defs\n') })
  const emitted = project.read('src/lexidex/lexicons/test/acme/index/meetup/listRecords.json')
  const back = project.read('vendor/test/acme/index/meetup/listRecords.json')
  expect(JSON.parse(back)).toEqual(JSON.parse(emitted))
})

test('refuses names that belong to another account, and tells a wrong password', async () => {
  dns.txt.set('_lexicon.index.acme.test', 'did=did:plc:aaaaaaaaaaaaaaaaaaaaaaaa')
  expect(await publish('--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Names below test.acme.index belong to another account.'),
  })
  dns.txt.delete('_lexicon.index.acme.test')
  project.env.LEXICON_ACCOUNT_PASSWORD = 'wrong'
  expect(await publish('--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/Cannot log in as[\s\S]*hint: Check LEXICON_ACCOUNT_IDENTIFIER and/),
  })
  project.env.LEXICON_ACCOUNT_IDENTIFIER = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
  expect(await publish('--dry-run')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Cannot resolve did:plc:aaaa'),
  })
  expect(await published()).toEqual([])
})
