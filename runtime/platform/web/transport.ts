import type { Transport, TransportAnswer } from '../../core/platform.ts'

/** Cloudflare's answers for hosts that it could not reach: the name has no address. */
const NO_ORIGIN = 530

/**
 * By the platform's `fetch`. It shows no addresses; where names lead to is held by its network, which has no private one
 * behind it.
 */
export function createTransport(): Transport {
  return {
    async get(url, { headers, signal }) {
      const response = await fetch(url, { headers, signal, redirect: 'manual' })
      if (response.status === NO_ORIGIN) {
        await response.body?.cancel()
        throw Object.assign(new Error(`${url.host} cannot be found`), { code: 'ENOTFOUND' })
      }
      return toAnswer(response)
    },
    close() {},
  }
}

function toAnswer({ status, headers, body }: Response): TransportAnswer {
  return {
    status,
    headers,
    body: body === null ? nothing() : read(body),
    discard: () => void body?.cancel().catch(() => {}),
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}

/** Not every platform lets its streams be iterated. */
async function* read(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    // Of no effect where all was read; else the connection is let go.
    await reader.cancel().catch(() => {})
  }
}
