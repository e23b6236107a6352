/** A Jetstream that sends one log from a file, as fast as its reader takes it. */
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { offer, preciseNow } from '../rpc.ts'

/** Bytes that may wait in the socket. */
const HIGH_WATER = 1 << 20

let frames: readonly Buffer[] = []
let firstFrameAt: number | null = null
let connections = 0

const methods = {
  /** Loads the log and listens. Gives the URL. */
  async start(file: string): Promise<string> {
    frames = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => Buffer.from(line))
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
    await new Promise((resolve) => server.once('listening', resolve))
    server.on('connection', (socket) => void send(socket))
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
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
