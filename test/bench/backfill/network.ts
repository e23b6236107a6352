/** A network on loopback, in a process of its own. */
import { EVENT, PROFILE, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import { offer } from '../rpc.ts'

/** Of 100 records 10 events and 90 RSVPs, and a profile of every second account beside them. */
const EVENTS = 0.1
const PROFILES = 0.5
const HOSTS = 10

const methods = {
  async start({ accounts, records }: NetworkSize): Promise<Services> {
    const events = Math.round(records * EVENTS)
    const { jetstream, relay, plc, pds, ...network } = await startNetwork({
      accounts,
      events,
      rsvps: records - events,
      profiles: Math.round(accounts * PROFILES),
      statuses: 0,
      pdsCount: HOSTS,
      // Nobody replays what is fetched.
      retained: 0,
      // Hosts of one's own would make them on processors of their own.
      readyArchives: true,
    })
    const held = [EVENT, RSVP, PROFILE].reduce((sum, nsid) => sum + network.records(nsid).length, 0)
    return { jetstream, relay, plc, hosts: pds.map((url) => new URL(url).host), held }
  },
}

export interface NetworkSize {
  readonly accounts: number
  /** Events and RSVPs together. */
  readonly records: number
}

/** Where the services are, and how many records there are to be had. */
export interface Services {
  readonly jetstream: string
  readonly relay: string
  readonly plc: string
  readonly hosts: readonly string[]
  readonly held: number
}

export type NetworkProcess = typeof methods

offer(methods)
