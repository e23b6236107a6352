import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountSource } from '../../../runtime/serving/shared/actors.ts'
import { insert, type Served, START_US, serveApp } from '../support/index.ts'
import { book, person, review } from '../support/library.ts'
import { nestedLibrary } from '../support/nested.ts'

let served: Served
let missing: string[][]
let prepared: string[][]
const accounts: AccountSource = {
  find: async () => null,
  prepare: async (actor, collection) => {
    prepared.push([actor, collection])
    return { did: actor, settled: false }
  },
  fetchMissing: (uris) => void missing.push([...uris]),
}
beforeEach(() => {
  missing = []
  prepared = []
  served = serveApp(nestedLibrary, { accounts })
})
afterEach(() => served.close())

const profileOf = (did: string) => `at://${did}/test.library.person/self`

function addAccount(did: string, handle: string | null): void {
  served.store.database
    .prepare('INSERT INTO lexidex_account (did, handle, first_seen_at) VALUES (?, ?, 0)')
    .run(did, handle)
}

function addPerson(did: string, record: unknown, hidden = false): void {
  insert(served.store, person, { did, rkey: 'self', record, hidden })
}

describe('profiles=true', () => {
  test('adds one entry per author, in the order of the page; of one without a profile, who it is', async () => {
    addAccount('did:plc:ann', 'ann.test')
    addAccount('did:plc:bob', 'bob.test')
    addPerson('did:plc:ann', { name: 'Ann' })
    const authors = ['did:plc:bob', 'did:plc:ann', 'did:plc:cyd', 'did:plc:ann']
    for (const [i, did] of authors.entries()) insert(served.store, book, { did, rkey: `b${i}`, sortAt: START_US - i })
    const page = await served.call('book.listRecords', { profiles: true })
    expect(page.profiles).toEqual([
      { did: 'did:plc:bob', handle: 'bob.test' },
      {
        uri: profileOf('did:plc:ann'),
        cid: 'bafyself',
        value: { name: 'Ann' },
        did: 'did:plc:ann',
        collection: 'test.library.person',
        rkey: 'self',
        time_us: START_US,
        handle: 'ann.test',
      },
      { did: 'did:plc:cyd' },
    ])
    expect(page.records[0]).not.toHaveProperty('profiles')
    expect(missing).toEqual([[profileOf('did:plc:bob'), profileOf('did:plc:cyd')]])
    expect(prepared).toEqual([])
  })

  test('are those of what is embedded too, on every level', async () => {
    for (const name of ['ann', 'bob', 'cyd', 'dan']) addPerson(`did:plc:${name}`, { name })
    const uri = insert(served.store, book, { did: 'did:plc:ann', rkey: 'one', columns: { owner: 'did:plc:dan' } })
    insert(served.store, review, { did: 'did:plc:bob', rkey: 'r', columns: { subject_uri: uri } })
    const names = async (params: object) => {
      const { profiles } = await served.call('book.getRecord', { uri, profiles: true, ...params })
      return profiles.map(({ value }: any) => value.name)
    }
    expect(await names({})).toEqual(['ann'])
    expect(await names({ hydrateReviews: 5 })).toEqual(['ann', 'bob'])
    expect(await names({ hydratePerson: true, hydrateReviews: 5, hydrateReviewsBook: true })).toEqual([
      'ann',
      'bob',
      'dan',
    ])
    const page = await served.call('review.listRecords', { profiles: true, hydrateBook: true, hydrateBookPerson: true })
    expect(page.profiles.map(({ did }: any) => did)).toEqual(['did:plc:bob', 'did:plc:ann', 'did:plc:dan'])
  })

  test('hidden ones and records of other keys are no profiles', async () => {
    addPerson('did:plc:ann', { name: 'Ann' }, true)
    insert(served.store, person, { did: 'did:plc:bob', rkey: 'other' })
    for (const did of ['did:plc:ann', 'did:plc:bob']) insert(served.store, book, { did, rkey: 'b' })
    const { profiles } = await served.call('book.listRecords', { profiles: true, order: 'asc' })
    expect(profiles).toEqual([{ did: 'did:plc:ann' }, { did: 'did:plc:bob' }])
  })

  test('of an empty page are none', async () => {
    expect(await served.call('book.listRecords', { profiles: true })).toEqual({ records: [], profiles: [] })
    expect(await served.call('book.listRecords', { profiles: false })).toEqual({ records: [] })
  })
})

describe('getProfile', () => {
  test('gives the profiles of an account, by DID or handle', async () => {
    addAccount('did:plc:ann', 'ann.test')
    addPerson('did:plc:ann', { name: 'Ann' })
    const byDid = await served.call('getProfile', { actor: 'did:plc:ann' })
    expect(byDid).toMatchObject({
      profiles: [{ uri: profileOf('did:plc:ann'), handle: 'ann.test', value: { name: 'Ann' } }],
    })
    expect(await served.call('getProfile', { actor: 'Ann.test' })).toEqual(byDid)
    expect(prepared).toEqual([])
  })

  test('has an account fetched whose profile is missing, then says so', async () => {
    const answer = await served.fail('getProfile', { actor: 'did:plc:ann' })
    expect(answer).toEqual({ status: 404, error: 'ProfileNotFound', message: 'Profile not found' })
    expect(prepared).toEqual([['did:plc:ann', 'test.library.person']])
  })

  test('refuses what names nobody', async () => {
    expect(await served.fail('getProfile')).toMatchObject({ status: 400 })
    expect(await served.fail('getProfile', { actor: 'not an actor' })).toMatchObject({ status: 400 })
    expect(await served.fail('getProfile', { actor: 'nobody.test' })).toMatchObject({
      status: 400,
      message: 'Could not resolve actor',
    })
    expect(await served.fail('getProfile', { actor: 'did:plc:ann', profiles: true })).toMatchObject({ status: 400 })
  })
})
