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

/** Names that were made lately; hashing one takes as long as a short query does here. */
const names = new Map<string, string>()
const MAX_NAMES = 2000

/** A name for the prepared statement of `sql`, the same in every process. Postgres keeps 63 bytes of it. */
export function statementName(sql: string): string {
  const known = names.get(sql)
  if (known !== undefined) return known
  const name = `lexidex_${createHash('sha1').update(sql).digest('base64url')}`
  if (names.size >= MAX_NAMES) names.clear()
  names.set(sql, name)
  return name
}
