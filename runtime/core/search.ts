import { invalidRequest } from './errors.ts'

/** A word, `prefix*` or `"phrase"`. Its text may hold several words. */
export interface Term {
  readonly text: string
  readonly prefix: boolean
}

/** Terms that must all be there, and terms of which none may. */
export interface Clause {
  readonly wanted: readonly Term[]
  readonly unwanted: readonly Term[]
}

const MAX_TERMS = 64

// One token: a quoted phrase or a run without spaces and quotes, with `-` in front and `*` behind a phrase.
const TOKEN = /(-?)"([^"]*)"(\*?)|(-?)([^\s"]+)/gu

/** A word as indexes keep it: letters, digits and private use. Marks belong to the letter before them. */
export const WORD = /[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{Co}\p{M}]*/gu

/**
 * A user's search: words, `prefix*`, `"a phrase"`, `OR`, `-excluded`. Words stand next to each other and all count; `OR`
 * parts alternatives; `-` in front of a word or phrase excludes it.
 *
 * @returns the alternatives, one at least; each wants one term at least, and every term has a word in it
 * @throws {XrpcError} 400 that says what is wrong
 */
export function parseSearch(search: string): Clause[] {
  // Half a quotation is left when all whole ones are gone.
  const text = search.replace(/[\p{Cc}\p{Cs}]/gu, ' ')
  if (text.replace(TOKEN, '').includes('"')) throw invalidSearch('a quotation mark is missing')
  let terms = 0
  const clauses: { wanted: Term[]; unwanted: Term[] }[] = [{ wanted: [], unwanted: [] }]
  for (const [token, phraseSign, phrase, phraseStar, wordSign, word] of text.matchAll(TOKEN)) {
    if (token === 'OR') {
      clauses.push({ wanted: [], unwanted: [] })
      continue
    }
    const term: Term =
      phrase === undefined
        ? { text: word!.replace(/\*+$/, ''), prefix: word!.endsWith('*') }
        : { text: phrase, prefix: phraseStar === '*' }
    const words = term.text.match(WORD)
    // Signs without a word, such as "&", are not indexed and would match nothing.
    if (words === null) continue
    // Half of all words begin with some letters: such a search would read most of the index.
    if (term.prefix && [...words.at(-1)!].length < 2) throw invalidSearch('a prefix needs at least 2 characters')
    if (++terms > MAX_TERMS) throw invalidSearch(`it has more than ${MAX_TERMS} words`)
    const { wanted, unwanted } = clauses.at(-1)!
    ;(phraseSign || wordSign ? unwanted : wanted).push(term)
  }
  for (const { wanted, unwanted } of clauses) {
    if (wanted.length > 0) continue
    if (unwanted.length > 0) throw invalidSearch('something must be looked for beside what is excluded')
    throw invalidSearch(clauses.length > 1 ? 'OR needs a word on both sides' : 'there is no word in it')
  }
  return clauses
}

function invalidSearch(problem: string) {
  return invalidRequest(
    `The search cannot be understood: ${problem}. It takes words, prefix*, "a phrase", OR, and -excluded words.`,
  )
}
