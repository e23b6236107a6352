/**
 * Routes beside the queries that are generated: procedures, and what an operator asks for. Whoever assembles an
 * indexer hands a list of them to the router (`RouterOptions.routes`); the router owns paths, methods, CORS and errors.
 */

/** A request to such a route. */
export interface RouteRequest {
  /** The query, and what the path has where the route's has `{name}`. */
  readonly params: URLSearchParams
  readonly headers: { get(name: string): string | null | undefined }
  /**
   * The body as text; empty where there is none. Nothing is read before this is called, so look at the credentials first.
   *
   * @throws XrpcError 413 where it is longer than 64 kB
   */
  body(): Promise<string>
}

export interface RouteAnswer {
  readonly status: number
  /** Becomes JSON. */
  readonly body: unknown
  /** Besides the content type and CORS. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Route {
  /** GET routes answer HEAD as well. One path may have a route for each. */
  readonly method: 'GET' | 'POST'
  /** For example `/xrpc/com.example.job/{id}/errors`; a segment `{name}` stands for any one. */
  readonly path: string
  /** An `XrpcError` becomes its answer; anything else that is thrown a 500, told to the log. */
  answer(request: RouteRequest): Promise<RouteAnswer>
}
