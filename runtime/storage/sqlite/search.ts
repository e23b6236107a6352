import { invalidRequest } from '../../core/errors.ts'

/** A word, `prefix*` or `"phrase"`. Its text may hold several words. */
interface Term {
  readonly text: string
  readonly prefix: boolean
}

/** Terms that must all be there, and terms of which none may. */
interface Clause {
  readonly wanted: readonly Term[]
  readonly unwanted: readonly Term[]
}

const MAX_TERMS = 64

// One token: a quoted phrase or a run without spaces and quotes, with `-` in front and `*` behind a phrase.
const TOKEN = /(-?)"([^"]*)"(\*?)|(-?)([^\s"]+)/gu

// What FTS5's tokenizer keeps of a text: letters, digits and private use. Marks belong to the letter before them.
const WORD = /[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{Co}\p{M}]*/gu

/**
 * A search as text for FTS5's MATCH. Words stand next to each other and all count; `OR` parts alternatives; `-` in
 * front of a word or phrase excludes it; `prefix*` and `"phrase"` are what they are in FTS5. All words are quoted, so
 * none of them is an operator.
 *
 * @throws {XrpcError} 400 that says what is wrong
 */
export function compileSearch(search: string): string {
  const clauses = parse(search).map(({ wanted, unwanted }) => {
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
  for (const { wanted, unwanted } of parse(search)) {
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

function parse(search: string): Clause[] {
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
