import { afterEach } from 'vitest'
import { EVENT, type Network, type NetworkOptions, startNetwork } from '../../fixtures/network/index.ts'
import { type Follower, follow } from './follow.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const { close } of open.splice(0).reverse()) await close()
})

/** A fake network that ends with the test; small by default. */
export async function network(options: NetworkOptions = { accounts: 6, events: 12, rsvps: 30 }): Promise<Network> {
  const started = await startNetwork(options)
  open.push(started)
  return started
}

/** A subscriber of its Jetstream that ends with the test. */
export async function subscribe(to: Network, query = ''): Promise<Follower> {
  const follower = await follow(to.jetstream, query)
  open.push(follower)
  return follower
}

export async function get(url: string): Promise<{ status: number; body: any }> {
  const response = await fetch(url)
  return { status: response.status, body: await response.json() }
}

export function xrpc(host: string, method: string, params: Record<string, string | number | boolean>) {
  const query = new URLSearchParams(Object.entries(params).map(([key, value]) => [key, String(value)]))
  return get(`${host}/xrpc/${method}?${query}`)
}

/** A minimal calendar event. */
export const soup = (name = 'Soup') => ({ $type: EVENT, name, createdAt: '2026-01-16T09:00:00.000Z' })
