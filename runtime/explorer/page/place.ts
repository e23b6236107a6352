/**
 * Where in the page one is, as the hash of its URL: `#/event.listRecords?search=bread`, `#/event.listRecords/json`,
 * `#/quarantine`; none for the overview.
 */

export type Params = readonly (readonly [name: string, value: string])[]

export interface Place {
  /** A method without its namespace, `quarantine`, or '' for the overview. */
  readonly view: string
  /** Whether the answer is shown as JSON. */
  readonly json: boolean
  readonly params: Params
}

/** With its `?`, where there is anything in it. */
export function queryString(params: Params): string {
  const text = new URLSearchParams(params.map(([name, value]) => [name, value])).toString()
  return text === '' ? '' : `?${text}`
}

export function parsePlace(hash: string): Place {
  const [, view = '', json, query = ''] = /^#\/([^/?]*)(\/json)?(?:\?(.*))?$/s.exec(hash) ?? []
  return { view: decode(view), json: json !== undefined, params: [...new URLSearchParams(query)] }
}

export function formatPlace({ view, json = false, params = [] }: Partial<Place> & { readonly view: string }): string {
  return `#/${encodeURIComponent(view)}${json ? '/json' : ''}${queryString(params)}`
}

/** What goes with an entry of the browser's history: the cursors of the pages before this one, '' for the first. */
export interface Trail {
  readonly before: readonly string[]
}

export function trail(): Trail | null {
  const before = history.state?.before
  return Array.isArray(before) ? { before } : null
}

/** Goes to a place, as if its link was followed. Listeners of `hashchange` hear of it. */
export function goTo(hash: string, state: Trail | null = null): void {
  if (hash === location.hash) history.replaceState(state, '', hash)
  else history.pushState(state, '', hash)
  window.dispatchEvent(new HashChangeEvent('hashchange'))
}

/** Goes to a place that is shown already: only its address is missing. */
export function enterPlace(hash: string, state: Trail | null): void {
  if (hash === location.hash) history.replaceState(state, '', hash)
  else history.pushState(state, '', hash)
}

/** Renames the place that one is at, for reloads and bookmarks; nobody hears of it. */
export function renamePlace(hash: string): void {
  history.replaceState(history.state, '', hash)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
