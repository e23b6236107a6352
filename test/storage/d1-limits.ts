/** Limits that D1 documents and workerd does not hold on one's own machine. */

/** Most arguments of one function. */
const MAX_ARGUMENTS = 32

const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|[a-z_]\w*(?=\()|[(),]/gi
/** What stands before a parenthesis and is no function. */
const NO_FUNCTION = /^(?:in|values|as|on|and|or|not|exists|select|where|conflict|key|unique|check|set|from|over)$/i

const known = new Set<string>()

/** @throws where D1 would refuse a statement that reads or changes rows */
export function checkLimits(sql: string): void {
  if (known.has(sql)) return
  // Names of tables, before lists of their columns, look like functions there.
  if (!/^\s*(?:CREATE|ALTER|DROP)\b/i.test(sql)) checkCalls(sql.replace(/\bINTO\s+\w+\s*\(/gi, '('))
  known.add(sql)
}

function checkCalls(sql: string): void {
  const open: { readonly name: string | null; commas: number }[] = []
  let name: string | null = null
  for (const [token] of sql.matchAll(TOKEN)) {
    if (token === '(') open.push({ name, commas: 0 })
    else if (token === ')') {
      const call = open.pop()
      if (call?.name && call.commas >= MAX_ARGUMENTS) {
        throw new Error(`D1 takes ${MAX_ARGUMENTS} arguments of ${call.name}, not ${call.commas + 1}`)
      }
    } else if (token === ',') {
      const call = open.at(-1)
      if (call !== undefined) call.commas++
    }
    name = /^[a-z_]/i.test(token) && !NO_FUNCTION.test(token) ? token : null
  }
}
