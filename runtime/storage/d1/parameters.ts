import type { D1Binding, D1Statement } from './binding.ts'

/** D1 binds no more than this to one statement. */
const MAX_PARAMETERS = 100

/** Strings, names, comments, and the placeholder that is looked for. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\?(?!\d)/g

/**
 * A statement with its values. Where there are more than D1 binds, they go as JSON arrays, whose members take the places of
 * the placeholders; SQLite seeks to those as it does to bound values. Short arrays, and as many as may be: to reach a member
 * takes time for those in front of it.
 */
export function bound(binding: D1Binding, sql: string, values: readonly unknown[]): D1Statement {
  if (values.length === 0) return binding.prepare(sql)
  if (values.length <= MAX_PARAMETERS) return binding.prepare(sql).bind(...values.map(plain))
  const size = Math.ceil(values.length / MAX_PARAMETERS)
  const arrays: string[] = []
  for (let i = 0; i < values.length; i += size) arrays.push(JSON.stringify(values.slice(i, i + size).map(plain)))
  return binding.prepare(packed(sql, size)).bind(...arrays)
}

/** @param size of the arrays */
function packed(sql: string, size: number): string {
  let n = 0
  return sql.replace(TOKEN, (token) => {
    if (token !== '?') return token
    const place = `(?${Math.floor(n / size) + 1} ->> ${n % size})`
    n++
    return place
  })
}

/** D1 takes no bigint, and no undefined. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return value === undefined ? null : value
}
