import type { D1Binding, D1Statement } from './binding.ts'

/** D1 binds no more than this to one statement. */
const MAX_PARAMETERS = 100

/** Strings, names, comments, and the placeholder that is looked for. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\?(?!\d)/g

/**
 * A statement with its values. Where there are more than D1 binds, they go as one JSON array, of which each placeholder
 * becomes a member; SQLite seeks to those as it does to bound values.
 */
export function bound(binding: D1Binding, sql: string, values: readonly unknown[]): D1Statement {
  if (values.length === 0) return binding.prepare(sql)
  if (values.length <= MAX_PARAMETERS) return binding.prepare(sql).bind(...values.map(plain))
  return binding.prepare(packed(sql)).bind(JSON.stringify(values.map(plain)))
}

function packed(sql: string): string {
  let n = 0
  return sql.replace(TOKEN, (token) => (token === '?' ? `(?1 ->> '$[${n++}]')` : token))
}

/** D1 takes no bigint, and no undefined. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return value === undefined ? null : value
}
