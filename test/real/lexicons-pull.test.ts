/** `lexidex lexicons pull` as users run it: against a name server, a PLC directory, a PDS and an index. */
import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { serve } from '../../runtime/node/index.ts'
import { TestProject } from '../cli/project.ts'
import { openIndexer } from '../operations/support.ts'
import { type RealAccount, type RealNetwork, startRealNetwork } from './atproto.ts'
import { type NameServer, startNameServer } from './dns.ts'

// Each step is a process of its own.
vi.setConfig({ testTimeout: 180_000 })

const SCHEMA = 'com.atproto.lexicon.schema'

/** Refers to another document, to itself, to one of others by a known value, and to nothing that exists by another. */
const meetup = {
  lexicon: 1,
  id: 'test.club.meetup',
  defs: {
    main: {
      type: 'record',
      description: 'People who meet.',
      key: 'tid',
      record: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string', maxLength: 64 },
          place: { type: 'ref', ref: 'test.club.place#address' },
          mood: { type: 'string', knownValues: ['#calm', 'test.club.moods#wild', 'test.nowhere.moods#odd', 'plain'] },
        },
      },
    },
    calm: { type: 'token' },
  },
}
const place = {
  lexicon: 1,
  id: 'test.club.place',
  defs: { address: { type: 'object', properties: { street: { type: 'string' } } } },
}
const moods = { lexicon: 1, id: 'test.club.moods', defs: { wild: { type: 'token' } } }

let network: RealNetwork
let dns: NameServer
let club: RealAccount
let project: TestProject

beforeAll(async () => {
  network = await startRealNetwork()
  dns = await startNameServer()
  club = await network.createAccount('club.test')
  dns.txt.set('_lexicon.club.test', `did=${club.did}`)
}, 60_000)
afterAll(async () => {
  await dns?.close()
  await network?.close()
})

beforeEach(async () => {
  for (const doc of [meetup, place, moods]) await publish(doc)
  project = new TestProject()
  project.env.NODE_OPTIONS = dns.nodeOptions
  project.write(
    'lexidex.config.ts',
    `export default {
      namespace: 'test.app',
      collections: { meetup: { collection: 'test.club.meetup' } },
      profiles: [],
      plc: '${network.plcUrl}',
      allowHosts: ['localhost', '127.0.0.1'],
    }`,
  )
})
afterEach(() => project.remove())

async function publish(doc: { id: string }): Promise<string> {
  const record = { $type: SCHEMA, ...doc }
  const { data } = await club.agent.com.atproto.repo.putRecord({
    repo: club.did,
    collection: SCHEMA,
    rkey: doc.id,
    record,
  })
  return data.cid
}

const pull = (...args: string[]) => project.run('lexicons', 'pull', ...args)
const read = (nsid: string) => JSON.parse(project.read(`lexicons/${nsid.replaceAll('.', '/')}.json`))
const manifest = () => JSON.parse(project.read('lexicons/lexicons.json'))

test('pulls what the config needs with what it refers to, in a form that generate reads', async () => {
  const cid = await publish(meetup)
  const ended = await pull()
  expect(ended).toEqual({
    code: 0,
    stderr: '',
    stdout: '  + test.club.meetup\n  + test.club.moods\n  + test.club.place\nlexicons: 3 added\n',
  })
  expect([read(meetup.id), read(place.id), read(moods.id)]).toEqual([meetup, place, moods])
  // Records come with their keys by length.
  expect(project.read('lexicons/test/club/meetup.json').indexOf('"type": "record"')).toBeLessThan(
    project.read('lexicons/test/club/meetup.json').indexOf('"description"'),
  )
  const { version, lexicons, resolutions } = manifest()
  expect({ version, lexicons, nsids: Object.keys(resolutions) }).toEqual({
    version: 1,
    lexicons: [meetup.id],
    nsids: [meetup.id, moods.id, place.id],
  })
  expect(resolutions[meetup.id]).toEqual({ uri: `at://${club.did}/${SCHEMA}/${meetup.id}`, cid })

  expect(await project.run('generate')).toMatchObject({ code: 0, stderr: '' })
  expect(await pull('--check')).toMatchObject({ code: 0, stdout: 'lexicons: 3 unchanged\n' })
})

test('shows what has changed upstream, and takes it only with --update', async () => {
  await pull(meetup.id)
  const before = project.read('lexicons/test/club/meetup.json')
  const properties = {
    ...meetup.defs.main.record.properties,
    name: { type: 'string', maxLength: 128 },
    at: { type: 'string' },
  }
  const record = { ...meetup.defs.main.record, required: ['name', 'at'], properties }
  const changed = { ...meetup, defs: { ...meetup.defs, main: { ...meetup.defs.main, record } } }
  const cid = await publish(changed)

  for (const args of [[], ['--check']]) {
    const shown = await pull(...args)
    expect(shown).toEqual({
      code: 1,
      stdout: [
        '  ~ test.club.meetup',
        '      + defs.main.record.properties.at: {"type":"string"}',
        '      ~ defs.main.record.properties.name.maxLength: 64 → 128',
        '      + defs.main.record.required: "at"',
        'lexicons: 1 changed upstream, 2 unchanged\n',
      ].join('\n'),
      stderr: '`lexidex lexicons pull --update` takes the published versions.\n',
    })
    expect(project.read('lexicons/test/club/meetup.json')).toBe(before)
  }
  expect(await pull('--update')).toMatchObject({ code: 0, stdout: expect.stringContaining('1 updated, 2 unchanged') })
  expect(read(meetup.id)).toEqual(changed)
  expect(manifest().resolutions[meetup.id].cid).toBe(cid)
})

test('restores files, and tells edits of one’s own from changes upstream', async () => {
  await pull(meetup.id)
  rmSync(path.join(project.root, 'lexicons/test/club/place.json'))
  const edited = { ...moods, defs: { wild: { type: 'token', description: 'Mine.' } } }
  project.write('lexicons/test/club/moods.json', JSON.stringify(edited))
  const ended = await pull()
  expect(ended.stdout).toBe(
    '  ~ test.club.moods  (edited here)\n      - defs.wild.description: "Mine."\n  + test.club.place\nlexicons: 1 added, 1 edited here, 1 unchanged\n',
  )
  expect(ended.code).toBe(1)
  expect([read(moods.id), read(place.id)]).toEqual([edited, place])
})

test("leaves the project's own documents, and --no-deps what is referred to", async () => {
  const own = { ...place, defs: { address: { type: 'object', properties: {} } } }
  project.write('lexicons/place.json', JSON.stringify(own))
  expect(await pull(meetup.id)).toMatchObject({ code: 0, stdout: expect.stringContaining('lexicons: 2 added') })
  expect(existsSync(path.join(project.root, 'lexicons/test/club/place.json'))).toBe(false)
  expect(await pull('--no-deps', '--out', 'vendor', meetup.id)).toMatchObject({
    stdout: '  + test.club.meetup\nvendor: 1 added\n',
  })
})

test('a name that another account has taken over is not followed without --update', async () => {
  await pull(moods.id)
  const thief = await network.createAccount('thief.test')
  dns.txt.set('_lexicon.club.test', `did=${thief.did}`)
  try {
    await thief.agent.com.atproto.repo.putRecord({
      repo: thief.did,
      collection: SCHEMA,
      rkey: moods.id,
      record: { $type: SCHEMA, ...moods },
    })
    const ended = await pull()
    expect(ended.code).toBe(1)
    expect(ended.stdout).toContain(`~ publisher: at://${club.did}/${SCHEMA}/${moods.id} → at://${thief.did}/`)
  } finally {
    dns.txt.set('_lexicon.club.test', `did=${club.did}`)
  }
})

test('says why something is not to be had, and pulls the rest', async () => {
  dns.txt.set('_lexicon.empty.test', `did=${club.did}`)
  dns.txt.set('_lexicon.gone.test', 'did=did:plc:aaaaaaaaaaaaaaaaaaaaaaaa')
  const ended = await pull(moods.id, 'test.nobody.thing', 'test.empty.thing', 'test.gone.thing')
  expect(ended.code).toBe(1)
  expect(ended.stdout).toContain('test.nobody.thing is not published: there is no TXT record _lexicon.nobody.test.')
  expect(ended.stdout).toContain("test.empty.thing is not published: its authority's account has no such record.")
  expect(ended.stdout).toContain('Failed to resolve DID document for did:plc:aaaaaaaaaaaaaaaaaaaaaaaa')
  expect(ended.stdout).toContain('lexicons: 1 added, 3 failed')
  expect(read(moods.id)).toEqual(moods)
  expect(await pull('not a name')).toMatchObject({ code: 2, stderr: expect.stringContaining('must be an NSID') })
})

test('does not fetch from private addresses that are not allowed', async () => {
  project.write('lexidex.config.ts', project.read('lexidex.config.ts').replace(/allowHosts.*/, ''))
  const refused = await pull(moods.id)
  expect(refused).toMatchObject({ code: 1, stdout: expect.stringMatching(/only https is fetched[\s\S]*--allow-host/) })
  expect(await pull(moods.id, '--allow-host', new URL(network.pdsUrl).host)).toMatchObject({ code: 0 })
})

test('pulls what an index serves of its own, without a config', async () => {
  rmSync(path.join(project.root, 'lexidex.config.ts'))
  const allowed = ['--allow-host', '127.0.0.1']
  const indexer = await openIndexer({
    jetstream: 'ws://localhost:1',
    relay: 'http://localhost:1',
    plc: network.plcUrl,
    pds: [],
  })
  const { url, close } = await serve(indexer, { port: 0 })
  try {
    const ended = await pull(url, ...allowed)
    expect(ended).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('  + com.example.event.listRecords\n'),
    })
    const served = await (await fetch(`${url}/xrpc/com.example.lexicons`)).json()
    const list = served.lexicons.find(({ id }: { id: string }) => id === 'com.example.event.listRecords')
    expect(read(list.id)).toEqual(list)
    expect(manifest().resolutions[list.id]).toEqual({
      uri: `${url}/xrpc/com.example.lexicons`,
      cid: expect.stringMatching(/^bafyrei/),
    })
    expect(await pull('--check', ...allowed)).toMatchObject({ code: 0 })
    expect(await pull(`${url}/xrpc/com.example.lexicons`, '--check', ...allowed)).toMatchObject({ code: 0 })
    expect(await pull(url, '--namespace', 'com.other', ...allowed)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/com\.other\.lexicons answers 404/),
    })
  } finally {
    await close()
    await indexer.close()
  }
})

test('asks for names where there is nothing to go by', async () => {
  rmSync(path.join(project.root, 'lexidex.config.ts'))
  expect(await pull()).toMatchObject({ code: 1, stderr: expect.stringContaining('Name what to pull') })
  expect(existsSync(path.join(project.root, 'lexicons'))).toBe(false)
})
