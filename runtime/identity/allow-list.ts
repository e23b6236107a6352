import { LexidexError } from '../core/errors.ts'

/** Hosts that an operator vouches for, whatever their address. */
export interface AllowList {
  /** Whether the URL's host is one of them, at the URL's port. */
  has(url: URL): boolean
}

/**
 * Reads entries of `allowHosts`: `host` stands for every port, `host:port` for one.
 *
 * @throws LexidexError where an entry is no host
 */
export function createAllowList(entries: readonly string[]): AllowList {
  const allowed = new Set(entries.map(readEntry))
  return {
    has(url) {
      const port = url.port || (url.protocol === 'https:' ? '443' : '80')
      return allowed.has(url.hostname) || allowed.has(`${url.hostname}:${port}`)
    },
  }
}

/** The entry as `URL` writes it. */
function readEntry(entry: string): string {
  const url = URL.canParse(`http://${entry}/`) ? new URL(`http://${entry}/`) : null
  if (url === null || entry === '' || /[/@?#]/.test(entry)) {
    throw new LexidexError(`Not a host: ${JSON.stringify(entry)}`, {
      hint: 'Write entries of allowHosts as host or host:port, without a scheme.',
    })
  }
  // `URL` drops a port 80 as it is the usual one.
  return /:80$/.test(entry) ? `${url.hostname}:80` : url.host
}
