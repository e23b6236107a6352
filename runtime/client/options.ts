/**
 * Sends a request. The global `fetch` fits, and so does SvelteKit's.
 *
 * @example
 * // An index in the same process, without a network between:
 * const fetch: FetchFunction = (url, init) => indexer.fetch(new Request(url, init))
 */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>

/**
 * Makes the headers of a request to the method `nsid`. Called again for every retry, as a
 * service-auth token names its method and may be used only once.
 */
export type HeadersFunction = (
  nsid: string,
) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>

/** What a token of service auth is made for; `com.atproto.server.getServiceAuth` takes it as it is. */
export interface ServiceAuthRequest {
  /** DID of the service that the token is for. */
  aud: string
  /** NSID of the method that it is for. */
  lxm: string
}

/**
 * Makes a token of atproto's service auth, by which an account says to a service who it is. Called for every request.
 *
 * @example
 * // `agent` is logged in at the account's PDS.
 * const serviceAuth: ServiceAuthFunction = async (request) =>
 *   (await agent.com.atproto.server.getServiceAuth(request)).data.token
 *
 * @see https://atproto.com/specs/xrpc#inter-service-authentication-jwt
 */
export type ServiceAuthFunction = (request: ServiceAuthRequest) => string | Promise<string>

export interface ClientOptions {
  /** Default: the global `fetch`. */
  fetch?: FetchFunction | undefined
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>> | HeadersFunction | undefined
  /** Sends its tokens as `authorization`, unless `headers` do. */
  serviceAuth?: ServiceAuthFunction | undefined
  /** DID of the service, for `serviceAuth`. Default: `did:web:` and its host. */
  serviceDid?: string | undefined
  /** How often a failed request is sent again. Default 3; 0 for never. */
  retries?: number | undefined
  /** Aborts every request of the client. */
  signal?: AbortSignal | undefined
}

export interface CallOptions {
  /** Aborts this call; for a time limit, `AbortSignal.timeout(ms)`. */
  signal?: AbortSignal | undefined
  /** Sent with this call, over the client's own of the same name. */
  headers?: Readonly<Record<string, string>> | undefined
}
