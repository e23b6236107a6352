import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeFrame } from '../../runtime/sources/frame.ts'

const commit = (changes: object = {}) => ({
  did: 'did:plc:abc',
  time_us: 1725911162329308,
  kind: 'commit',
  commit: {
    rev: '3l3qo2vutsw2b',
    operation: 'create',
    collection: 'app.bsky.feed.like',
    rkey: '3l3qo2vuowo2b',
    record: { $type: 'app.bsky.feed.like' },
    cid: 'bafyreidwaivazkwu67xztlmuobx35hs2lnfh3kolmgfmucldvhd3sgzcqi',
    ...changes,
  },
})

const decode = (frame: unknown) => decodeFrame(JSON.stringify(frame))

const write = {
  did: 'did:plc:abc',
  collection: 'app.bsky.feed.like',
  rkey: '3l3qo2vuowo2b',
  rev: '3l3qo2vutsw2b',
  timeUs: 1725911162329308,
}
const put = { kind: 'put', ...write, cid: commit().commit.cid, record: { $type: 'app.bsky.feed.like' } }

describe('decodeFrame', () => {
  test.each(['create', 'update'])('%s is a put', (operation) => {
    expect(decode(commit({ operation }))).toEqual({
      timeUs: write.timeUs,
      event: { ...put, isNew: operation === 'create' },
      problem: null,
    })
  })

  test('delete', () => {
    const { event } = decode(commit({ operation: 'delete', record: undefined, cid: undefined }))
    expect(event).toEqual({ kind: 'delete', ...write })
  })

  test('account', () => {
    const frame = { did: 'did:plc:abc', time_us: 7, kind: 'account', account: { active: false, status: 'takendown' } }
    expect(decode(frame).event).toEqual({
      kind: 'account',
      did: 'did:plc:abc',
      active: false,
      status: 'takendown',
      timeUs: 7,
    })
  })

  test('identity, with a handle and without', () => {
    const frame = { did: 'did:plc:abc', time_us: 7, kind: 'identity' }
    expect(decode({ ...frame, identity: { did: 'did:plc:abc', handle: 'a.test' } }).event).toEqual({
      kind: 'identity',
      did: 'did:plc:abc',
      handle: 'a.test',
      timeUs: 7,
    })
    expect(decode({ ...frame, identity: { did: 'did:plc:abc' } }).event).toEqual({
      kind: 'identity',
      did: 'did:plc:abc',
      timeUs: 7,
    })
  })

  test('a kind that is not known moves the position and is no problem', () => {
    expect(decode({ did: 'did:plc:abc', time_us: 7, kind: 'gossip' })).toEqual({
      timeUs: 7,
      event: null,
      problem: null,
    })
  })

  test.each([
    commit({ rev: undefined }),
    commit({ rkey: 7 }),
    commit({ operation: 'burn' }),
    commit({ cid: undefined }),
    commit({ record: undefined }),
    { ...commit(), commit: null },
    { did: 'did:plc:abc', time_us: 7, kind: 'account', account: {} },
  ])('a frame that is broken inside moves the position: %#', (frame) => {
    expect(decode(frame)).toEqual({ timeUs: frame.time_us, event: null, problem: expect.any(String) })
  })

  test.each(['', '{"did":', '[]', 'null', '7', '{}', '{"did":"did:plc:abc","time_us":"7"}', '{"time_us":7}'])(
    'a frame without a time is skipped: %s',
    (text) => {
      expect(decodeFrame(text)).toEqual({ timeUs: null, event: null, problem: expect.any(String) })
    },
  )

  test('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void decodeFrame(text)))
    const part = fc.oneof(fc.jsonValue(), fc.constantFrom('commit', 'account', 'identity', 'create', 'delete'))
    const frame = fc.record(
      { did: part, time_us: fc.oneof(fc.integer(), part), kind: part, commit: part, account: part, identity: part },
      { requiredKeys: [] },
    )
    fc.assert(fc.property(frame, (value) => void decode(value)))
  })
})
