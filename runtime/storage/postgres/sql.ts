import { createHash } from 'node:crypto'

/** A name in double quotes: any column of a lexicon is safe, keywords too. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string literal, as `standard_conforming_strings` has it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

// What may hold a question mark that is no parameter: literals and quoted names.
const PARAMETER = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\?/g

/** SQL with `$1`, `$2`, … in the place of its `?`. What has numbered parameters stays as it is. */
export function numbered(sql: string): string {
  let n = 0
  return sql.replace(PARAMETER, (token) => (token === '?' ? `$${++n}` : token))
}

/** A name for the prepared statement of `sql`, the same in every process. Postgres keeps 63 bytes of it. */
export function statementName(sql: string): string {
  return `lexidex_${createHash('sha1').update(sql).digest('base64url')}`
}
