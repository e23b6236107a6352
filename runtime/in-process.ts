import type { ClientOptions } from './client/options.ts'

/** An index in the same process, as far as a client needs it. */
export interface InProcessService {
  handle(request: {
    readonly method: string
    readonly url: string
    readonly headers: Headers
    readonly body: AsyncIterable<Uint8Array> | null
    readonly caller: string | undefined
  }): Promise<InProcessAnswer> | InProcessAnswer
}

interface InProcessAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

export interface ServerClientOptions extends Omit<ClientOptions, 'fetch'> {
  /** DID of the account on whose behalf calls are made: queries of the config are told it as their `caller`. */
  caller?: string | undefined
}

/** Options of a client that calls an index in the same process, without a network between. Nothing is retried. */
export function inProcess(index: InProcessService, options: ServerClientOptions = {}): ClientOptions {
  const { caller, ...rest } = options
  return {
    retries: 0,
    ...rest,
    async fetch(url, init) {
      const { pathname, search } = new URL(url)
      const { method = 'GET', body = null } = init
      const answer = await index.handle({
        method,
        url: pathname + search,
        headers: new Headers(init.headers),
        body: typeof body === 'string' ? bytesOf(body) : null,
        caller,
      })
      init.signal?.throwIfAborted()
      const { status, headers } = answer
      const hasBody = status !== 204 && status !== 304
      return new Response(hasBody ? (answer.body as string | Uint8Array<ArrayBuffer>) : null, { status, headers })
    },
  }
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text)
}
