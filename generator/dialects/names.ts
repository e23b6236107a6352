const PLAIN = /^[a-z_][a-z0-9_]*$/

/** Writes identifiers, quoted only where they must be: where they are no plain words, or one of `keywords` (lines of words). */
export function quoteNames(keywords: readonly string[]): (identifier: string) => string {
  const reserved = new Set(keywords.flatMap((line) => line.split(' ')))
  return (identifier) =>
    PLAIN.test(identifier) && !reserved.has(identifier) ? identifier : `"${identifier.replaceAll('"', '""')}"`
}

/** A string literal of standard SQL. */
export function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
