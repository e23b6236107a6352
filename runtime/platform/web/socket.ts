import type { Frame, SocketChunk, SocketOptions } from '../../core/platform.ts'

/** Text that waits for the consumer, in UTF-16 code units, before the socket is given up and opened anew. */
const HIGH_WATER = 8 * 1024 * 1024
const HANDSHAKE_MS = 10_000

/**
 * Messages of one WebSocket, from its opening until it ends. Returns when the signal aborts, and throws, with the
 * reason, when the socket cannot be opened or goes away.
 *
 * The standard's sockets can be neither paused nor pinged. Where the consumer falls behind, the socket is closed, and the
 * messages end with what had arrived: whoever reads on opens another one from there. And a host counts as there for as
 * long as the socket is open; a stream that is opened for each cycle is proved by its handshake.
 */
export async function* readSocket(url: string, options: SocketOptions): AsyncGenerator<SocketChunk, void> {
  const { signal, pingIntervalMs } = options
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  let messages: Frame[] = []
  let length = 0
  let confirmedAt = 0
  let isNews = false
  let isFull = false
  let ended: Error | null = null
  let wake = () => {}
  let beats: ReturnType<typeof setInterval> | undefined

  const tell = () => {
    isNews = true
    wake()
  }
  const end = (reason: string) => {
    ended ??= new Error(reason)
    wake()
  }
  const handshake = setTimeout(() => end(`no answer in ${HANDSHAKE_MS} ms`), HANDSHAKE_MS)
  const beat = () => {
    if (socket.readyState !== WebSocket.OPEN) return
    confirmedAt = performance.now()
    tell()
  }

  socket.addEventListener('open', () => {
    clearTimeout(handshake)
    confirmedAt = performance.now()
    beats = setInterval(beat, pingIntervalMs)
    tell()
  })
  socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (isFull) return
    messages.push(typeof data === 'string' ? data : new Uint8Array(data))
    length += typeof data === 'string' ? data.length : data.byteLength
    if (length > HIGH_WATER) {
      isFull = true
      socket.close()
    }
    tell()
  })
  socket.addEventListener('error', (event) => end((event as ErrorEvent).message || 'the connection failed'))
  socket.addEventListener('close', ({ code, reason }) => end(`closed by the host: ${code} ${reason}`.trim()))
  const stop = () => wake()
  signal.addEventListener('abort', stop)

  try {
    while (!signal.aborted) {
      if (isNews) {
        const chunk = { messages, confirmedAt }
        messages = []
        length = 0
        isNews = false
        yield chunk
      } else if (isFull) {
        return
      } else if (ended) {
        throw ended
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    clearTimeout(handshake)
    clearInterval(beats)
    signal.removeEventListener('abort', stop)
    socket.close()
  }
}
