import { parseSearch, type Term } from '../../core/search.ts'

// What the emitted `lexidex_words` takes for a word: letters, numbers and marks, but none that choose an emoji's looks.
const WORD = /(?:(?![\ufe00-\ufe0f])[\p{L}\p{N}\p{Mn}\p{Mc}\p{Co}])+/gu

/** Longest word of a tsquery. */
const MAX_BYTES = 2046

/** A lexeme that no record has: words are letters and digits. */
const NOTHING = `'$nothing'`

/**
 * A search as text for `tsquery`; the SQL folds case and accents as it does for the words of records.
 *
 * @throws {XrpcError} 400 that says what is wrong
 */
export function compileSearch(search: string): string {
  return parseSearch(search)
    .map(({ wanted, unwanted }) => [...wanted.map(phrase), ...unwanted.map((term) => `!${phrase(term)}`)].join(' & '))
    .map((clause) => `(${clause})`)
    .join(' | ')
}

/**
 * The same search with every word by itself as an alternative.
 *
 * @throws {XrpcError} as `compileSearch`
 */
export function compileAnyWord(search: string): string {
  const terms = parseSearch(search).flatMap(({ wanted, unwanted }) => [...wanted, ...unwanted])
  return [...new Set(terms.flatMap(lexemes))].join(' | ')
}

/** Words that stand one after the other. */
function phrase(term: Term): string {
  return `(${lexemes(term).join(' <-> ')})`
}

function lexemes({ text, prefix }: Term): string[] {
  const words = text.match(WORD)
  if (words === null) return [NOTHING]
  return words.map((word, i) => {
    const kept = beginningOf(word)
    return prefix && i === words.length - 1 ? `'${kept}':*` : `'${kept}'`
  })
}

/** What the emitted `lexidex_words` keeps of a word. */
function beginningOf(word: string): string {
  if (Buffer.byteLength(word) <= MAX_BYTES) return word
  const beginning = word.slice(0, MAX_BYTES)
  if (Buffer.byteLength(beginning) === MAX_BYTES) return beginning
  return [...word].slice(0, Math.floor(MAX_BYTES / 4)).join('')
}
