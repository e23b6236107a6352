import fc from 'fast-check'
import { EVENT, type Network, PROFILE, type RecordValue, RSVP } from '../../../fixtures/network/index.ts'

/** Few accounts, keys and words, so that writes meet. */
export const ACCOUNTS = 5
const KEYS = ['a', 'b', 'c'] as const
export const WORDS = ['chess', 'tea', 'coffee', 'soup'] as const
const HANDLES = ['one.test', 'two.test', 'three.test'] as const
const COLLECTION = { event: EVENT, rsvp: RSVP, profile: PROFILE } as const

const who = fc.nat(ACCOUNTS - 1)
const rkey = fc.constantFrom(...KEYS)

const event = fc.record({
  kind: fc.constant('event' as const),
  who,
  rkey,
  words: fc.array(fc.constantFrom(...WORDS), { maxLength: 3 }),
  mode: fc.constantFrom('inperson', 'virtual', undefined),
  startsInHours: fc.option(fc.nat(5), { nil: undefined }),
})
const rsvp = fc.record({
  kind: fc.constant('rsvp' as const),
  who,
  rkey,
  // Of an event that is there, was there, comes later, or never is.
  to: fc.record({ who, rkey: fc.constantFrom(...KEYS, 'never') }),
  status: fc.constantFrom('going', 'interested', 'notgoing'),
})
const profile = fc.record({ kind: fc.constant('profile' as const), who, words: fc.constantFrom(...WORDS) })
const remove = fc.record({
  kind: fc.constant('delete' as const),
  who,
  of: fc.constantFrom('event' as const, 'rsvp' as const, 'rsvp' as const, 'profile' as const),
  rkey,
})
const status = fc.record({
  kind: fc.constant('status' as const),
  who,
  status: fc.constantFrom(
    'active',
    'active',
    'active',
    'deactivated',
    'suspended',
    'takendown',
    'deleted',
    'throttled',
  ),
})
const identity = fc.record({ kind: fc.constant('identity' as const), who, handle: fc.constantFrom(...HANDLES) })
const move = fc.record({ kind: fc.constant('move' as const), who })
/** Lists the writes of an account again in its next commit: what a broken chain looks like to a stream. */
const again = fc.record({ kind: fc.constant('again' as const), nth: fc.nat(50) })

/** Something that somebody does. Where it makes no sense at that moment, nothing happens. */
export const action = fc.oneof(
  { weight: 6, arbitrary: event },
  { weight: 9, arbitrary: rsvp },
  { weight: 2, arbitrary: profile },
  { weight: 6, arbitrary: remove },
  { weight: 3, arbitrary: status },
  { weight: 1, arbitrary: identity },
  { weight: 1, arbitrary: move },
  { weight: 2, arbitrary: again },
)

export type Action = typeof action extends fc.Arbitrary<infer A> ? A : never

export function history(length: { min: number; max: number }): fc.Arbitrary<readonly Action[]> {
  return fc.array(action, { minLength: length.min, maxLength: length.max, size: 'max' })
}

/** Does it to the network. */
export function perform(network: Network, action: Action): void {
  if (action.kind === 'again') {
    redeliver(network, action.nth)
    return
  }
  const account = network.accounts[action.who]!
  const { did, active } = account
  if (action.kind === 'status') {
    // A host may say of an active account that it is throttled; that hides nothing.
    const isActive = action.status === 'active' || action.status === 'throttled'
    network.account(did, { active: isActive, ...(action.status === 'active' ? {} : { status: action.status }) })
  }
  if (action.kind === 'identity') network.identity(did, action.handle)
  // Nobody can write to an account that is away.
  if (!active) return
  switch (action.kind) {
    case 'move':
      network.move(did, network.pds.find((url) => url !== account.pds)!)
      break
    case 'event':
      network.put(did, EVENT, action.rkey, eventOf(action))
      break
    case 'rsvp':
      network.put(did, RSVP, action.rkey, rsvpOf(network, action))
      break
    case 'profile':
      network.put(did, PROFILE, 'self', { $type: PROFILE, displayName: action.words })
      break
    case 'delete': {
      const key = action.of === 'profile' ? 'self' : action.rkey
      const collection = COLLECTION[action.of]
      const uri = `at://${did}/${collection}/${key}`
      if (network.records(collection).some((record) => record.uri === uri)) network.delete(did, collection, key)
    }
  }
}

/** The same commit once more, later in the stream: it must not overwrite what has come since. */
function redeliver(network: Network, nth: number): void {
  const commits = network.log.filter((frame) => frame.kind === 'commit')
  const frame = commits[nth % commits.length]
  // Of collections that need known accounts a stream in disorder shows more than one in order.
  if (frame === undefined || frame.commit.collection === PROFILE) return
  const { time_us: _, ...commit } = frame
  network.emit(commit)
}

function eventOf({ words, mode, startsInHours }: Extract<Action, { kind: 'event' }>): RecordValue {
  return {
    $type: EVENT,
    name: words.length === 0 ? 'untitled' : words.join(' '),
    description: words[0] === undefined ? 'nothing' : `more ${words[0]}`,
    createdAt: new Date().toISOString(),
    ...(mode === undefined ? {} : { mode: `${EVENT}#${mode}` }),
    ...(startsInHours === undefined ? {} : { startsAt: `2026-06-01T0${startsInHours}:00:00.000Z` }),
  }
}

const NO_CID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

function rsvpOf(network: Network, { to, status }: Extract<Action, { kind: 'rsvp' }>): RecordValue {
  const uri = `at://${network.accounts[to.who]!.did}/${EVENT}/${to.rkey}`
  return { $type: RSVP, subject: { uri, cid: NO_CID }, status: `${RSVP}#${status}` }
}
