/** Where the runtime writes. The console fits; so does any logger with these three. */
export interface Logger {
  log(...args: unknown[]): void
  warn(...args: unknown[]): void
  error(...args: unknown[]): void
}

/** Writes nothing. */
export const silentLogger: Logger = { log: () => {}, warn: () => {}, error: () => {} }

/** A line that people and programs can read: the name of what happened, and JSON. */
export function eventLine(name: string, fields: Readonly<Record<string, unknown>>): string {
  return `${name} ${JSON.stringify(fields)}`
}
