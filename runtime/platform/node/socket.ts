import { type RawData, WebSocket } from 'ws'
import type { SocketChunk, SocketOptions } from '../../core/platform.ts'

/** Bytes that wait for the consumer before the sender is made to wait. */
const HIGH_WATER = 4 * 1024 * 1024
const HANDSHAKE_MS = 10_000
const MAX_FRAME = 32 * 1024 * 1024

/**
 * Messages of one WebSocket, from its opening until it ends. Returns when the signal aborts, and throws, with the
 * reason, when the socket cannot be opened or goes away.
 */
export async function* readSocket(url: string, options: SocketOptions): AsyncGenerator<SocketChunk, void> {
  const { signal, pingIntervalMs, pongTimeoutMs = pingIntervalMs } = options
  const socket = new WebSocket(url, {
    // Deflate costs more than ten times of everything else that is done to a frame.
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: MAX_FRAME,
  })
  let messages: Buffer[] = []
  let bytes = 0
  let confirmedAt = 0
  let news = false
  let ended: Error | null = null
  let wake = () => {}
  let pingSentAt: number | null = null
  let pings: NodeJS.Timeout | undefined

  const tell = () => {
    news = true
    wake()
  }
  const end = (reason: Error) => {
    ended ??= reason
    wake()
  }
  const ping = () => {
    // Nothing is read from a paused socket, pongs neither.
    if (socket.isPaused) return
    if (pingSentAt !== null) {
      const waited = Math.round(performance.now() - pingSentAt)
      // Timers may fire a little early.
      if (waited >= pongTimeoutMs - 5) end(new Error(`no answer to a ping for ${waited} ms`))
      return
    }
    pingSentAt = performance.now()
    socket.ping(String(pingSentAt))
  }

  socket.on('open', () => {
    confirmedAt = performance.now()
    pings = setInterval(ping, pingIntervalMs)
    tell()
  })
  socket.on('message', (data: RawData) => {
    const message = toBuffer(data)
    messages.push(message)
    bytes += message.length
    if (bytes > HIGH_WATER && !socket.isPaused) {
      socket.pause()
      pingSentAt = null
    }
    tell()
  })
  socket.on('pong', (payload) => {
    // Another payload answers a ping from before a pause.
    if (pingSentAt === null || String(payload) !== String(pingSentAt)) return
    confirmedAt = pingSentAt
    pingSentAt = null
    tell()
  })
  socket.on('error', end)
  socket.on('close', (code, reason) => end(new Error(`closed by the host: ${code} ${String(reason)}`.trim())))
  const stop = () => wake()
  signal.addEventListener('abort', stop)

  try {
    while (!signal.aborted) {
      if (news) {
        const chunk = { messages, confirmedAt }
        messages = []
        bytes = 0
        news = false
        if (socket.isPaused) socket.resume()
        yield chunk
      } else if (ended) {
        throw ended
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    clearInterval(pings)
    signal.removeEventListener('abort', stop)
    // `ended` takes the error that a socket still connecting emits when it is terminated.
    socket.terminate()
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
