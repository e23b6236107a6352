import { WebSocket } from 'ws'
import type { JetstreamFrame } from '../../fixtures/network/frames.ts'

export interface Follower {
  /** Frames received so far. */
  readonly frames: readonly JetstreamFrame[]
  readonly socket: WebSocket
  /** Resolves when a frame for which `wanted` is true has come; rejects after `withinMs` (default 10 s). */
  until(wanted: (frame: JetstreamFrame) => boolean, withinMs?: number): Promise<JetstreamFrame>
  /** Resolves when `count` frames have come. */
  count(count: number, withinMs?: number): Promise<readonly JetstreamFrame[]>
  /** The code and reason with which the server ended the socket. */
  readonly closed: Promise<{ code: number; reason: string }>
  close(): void
}

/**
 * Connects to a Jetstream v1 and collects its frames. Rejects where the upgrade is refused, with the status and
 * the body in the message.
 *
 * @param url `ws://…`, without the path
 * @param query as after the `?` of `/subscribe`
 */
export async function follow(url: string, query = ''): Promise<Follower> {
  const socket = new WebSocket(`${url}/subscribe?${query}`)
  const frames: JetstreamFrame[] = []
  const waiting = new Set<() => void>()
  socket.on('message', (data) => {
    frames.push(JSON.parse(String(data)))
    for (const check of waiting) check()
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
  })
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('error', reject)
    socket.on('unexpected-response', (_request, response) => {
      response.setEncoding('utf8').on('data', (body) => reject(new Error(`${response.statusCode} ${body}`)))
    })
  })

  const when = <T>(found: () => T | undefined, withinMs = 10_000) =>
    new Promise<T>((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(timer)
        waiting.delete(check)
        settle()
      }
      const check = () => {
        const value = found()
        if (value !== undefined) done(() => resolve(value))
      }
      const late = () => done(() => reject(new Error(`Not in time; received ${JSON.stringify(frames.slice(-20))}`)))
      const timer = setTimeout(late, withinMs)
      waiting.add(check)
      check()
    })

  return {
    frames,
    socket,
    until: (wanted, withinMs) => when(() => frames.find(wanted), withinMs),
    count: (count, withinMs) => when(() => (frames.length >= count ? frames : undefined), withinMs),
    closed,
    close: () => socket.terminate(),
  }
}
