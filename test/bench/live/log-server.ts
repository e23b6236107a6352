/**
 * A Jetstream that sends one log from a file, as fast as its reader takes it. Whatever is asked over HTTP, it never
 * answers: who accounts are is looked up beside the stream, and is not what is measured.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { offer, preciseNow } from '../rpc.ts'

/** Bytes that may wait in the socket. */
const HIGH_WATER = 1 << 20

let frames: readonly Buffer[] = []
let firstFrameAt: number | null = null
let connections = 0

const methods = {
  /** Loads the log and listens. Gives `host:port`. */
  async start(file: string): Promise<string> {
    frames = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => Buffer.from(line))
    const server = createServer(() => {})
    const sockets = new WebSocketServer({ server, perMessageDeflate: false })
    sockets.on('connection', (socket) => void send(socket))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  /** When the first frame was sent, and how often somebody came for it. */
  sent: () => ({ firstFrameAt, connections }),
}

export type LogServer = typeof methods

async function send(socket: WebSocket): Promise<void> {
  connections++
  firstFrameAt ??= preciseNow()
  for (const frame of frames) {
    if (socket.readyState !== socket.OPEN) return
    const taken = new Promise((resolve) => socket.send(frame, { binary: false }, resolve))
    if (socket.bufferedAmount > HIGH_WATER) await taken
  }
}

offer(methods)
