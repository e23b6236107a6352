/** What a browser gets at `/`, where programs get JSON. The router hands it out and knows nothing else of it. */
export interface Page {
  /** The page; the same every time. Its headers hold a content type, a policy and an `etag`. */
  load(): Promise<LoadedPage>
}

export interface LoadedPage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
