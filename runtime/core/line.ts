/** Control characters, which end lines and which databases refuse, and half surrogate pairs, which have no UTF-8. */
const UNFIT = /[\p{Cc}\p{Surrogate}\u2028\u2029]+/gu

/**
 * What a stranger says, as one line that fits into logs and into every database: without what does not, and cut.
 *
 * @param longest in UTF-16 code units. Default 500.
 */
export function lineOf(text: string, longest = 500): string {
  const cut = text.length > longest ? `${text.slice(0, longest - 1)}…` : text
  return cut.replace(UNFIT, ' ')
}
