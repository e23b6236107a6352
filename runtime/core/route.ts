/**
 * Routes beside the queries that are generated: procedures, pages, and what an operator asks for. Whoever assembles an
 * indexer hands a list of them to the router (`RouterOptions.routes`); the router owns paths, methods, CORS, caching and
 * errors.
 */

/** A request to such a route. */
export interface RouteRequest {
  /** The query, and what the path has where the route's has `{name}`. */
  readonly params: URLSearchParams
  readonly headers: { get(name: string): string | null | undefined }
  /** DID of the account that calls, known in process only. */
  readonly caller?: string | undefined
  /**
   * The body as text; empty where there is none. Nothing is read before this is called, so look at the credentials first.
   *
   * @throws XrpcError 413 where it is longer than 64 kB
   */
  body(): Promise<string>
}

export interface RouteAnswer {
  readonly status: number
  /** Becomes JSON. Give either this or `content`. */
  readonly body?: unknown
  /** Sent as it is: text as UTF-8. `headers` say what it is, where it is not JSON. */
  readonly content?: string | Uint8Array
  /** By their names in lower case. Besides the content type of JSON and CORS. */
  readonly headers?: Readonly<Record<string, string>>
  /** Where the route's answers are `kept`: tables that this one was read from. Null, the default: it is given once. */
  readonly reads?: readonly string[] | null
}

export interface Route {
  /** GET routes answer HEAD as well. One path may have a route for each. */
  readonly method: 'GET' | 'POST'
  /** For example `/xrpc/com.example.job/{id}/errors`; a segment `{name}` stands for any one. */
  readonly path: string
  /**
   * Of a GET that answers 200 and JSON, or throws: whether the tables in `reads` alone decide the answer to a URL, whoever
   * asks and with whatever headers. Such an answer has an `etag`, and is kept until something is written to one of them.
   */
  readonly kept?: boolean
  /** An `XrpcError` becomes its answer; anything else that is thrown a 500, told to the log. */
  answer(request: RouteRequest): Promise<RouteAnswer>
}
