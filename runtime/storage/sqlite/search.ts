import { parseSearch, type Term, WORD } from '../../core/search.ts'

/**
 * A search as text for FTS5's MATCH. Words stand next to each other and all count; `OR` parts alternatives; `-` in
 * front of a word or phrase excludes it; `prefix*` and `"phrase"` are what they are in FTS5. All words are quoted, so
 * none of them is an operator.
 *
 * @throws {XrpcError} 400 that says what is wrong
 */
export function compileSearch(search: string): string {
  const clauses = parseSearch(search).map(({ wanted, unwanted }) => {
    const all = wanted.map(quoteTerm).join(' AND ')
    return unwanted.length === 0 ? all : `(${all}) NOT (${unwanted.map(quoteTerm).join(' OR ')})`
  })
  return clauses.length === 1 ? clauses[0]! : clauses.map((clause) => `(${clause})`).join(' OR ')
}

/**
 * The same search with every word by itself as an alternative.
 *
 * @throws {XrpcError} as `compileSearch`
 */
export function compileAnyWord(search: string): string {
  const words = new Set<string>()
  for (const { wanted, unwanted } of parseSearch(search)) {
    for (const { text, prefix } of [...wanted, ...unwanted]) {
      const parts = text.match(WORD)!
      parts.forEach((part, i) => {
        words.add(quoteTerm({ text: part, prefix: prefix && i === parts.length - 1 }))
      })
    }
  }
  return [...words].join(' OR ')
}

function quoteTerm({ text, prefix }: Term): string {
  return prefix ? `"${text}"*` : `"${text}"`
}
