/** The same call outside of this page. */
import type { Method, Param } from './lexicon.ts'
import { type Params, queryString } from './place.ts'

/** @param service URL of the index, without a slash at the end */
export function curl(service: string, method: Method, params: Params): string {
  const url = `${service}/xrpc/${method.nsid}`
  if (method.kind === 'procedure') {
    const input = JSON.stringify(inputOf(method, params))
    return `curl -X POST ${quoteShell(url)} \\\n  -H 'content-type: application/json' \\\n  -d ${quoteShell(input)}`
  }
  return `curl ${quoteShell(url + queryString(params))}`
}

/** A call of the emitted client. */
export function typescript(service: string, method: Method, params: Params): string {
  const argument = method.id === 'notifyOfUpdate' ? uris(params) : objectLiteral(method.params, params)
  return [
    "import { createClient } from './lexidex/client.js'",
    '',
    `const api = createClient(${quote(service)})`,
    `const ${method.isList ? '{ records, cursor }' : 'result'} = await api.${method.id}(${argument})`,
  ].join('\n')
}

/** The input of a procedure as JSON takes it. */
export function inputOf(method: Method, params: Params): Record<string, unknown> {
  return Object.fromEntries(
    method.params
      .map((param) => [param, params.filter(([name]) => name === param.name).map(([, value]) => value)] as const)
      .filter(([, values]) => values.length > 0)
      .map(([param, values]) => {
        const items = values.map((value) => (param.type === 'string' ? value : JSON.parse(value)))
        return [param.name, param.many ? items : items[0]]
      }),
  )
}

/** The client's `notifyOfUpdate` takes URIs as they are. */
function uris(params: Params): string {
  const quoted = params.map(([, value]) => quote(value))
  return quoted.length === 1 ? quoted[0]! : `[${quoted.join(', ')}]`
}

function objectLiteral(known: readonly Param[], params: Params): string {
  const entries = known
    .map((param) => [param, params.filter(([name]) => name === param.name).map(([, value]) => value)] as const)
    .filter(([, values]) => values.length > 0)
    .map(([param, values]) => `${param.name}: ${literal(param, values)}`)
  if (entries.length === 0) return ''
  const line = `{ ${entries.join(', ')} }`
  return line.length <= 60 ? line : `{\n${entries.map((entry) => `  ${entry},\n`).join('')}}`
}

function literal({ type, many }: Param, values: readonly string[]): string {
  const one = (value: string) => {
    if (type === 'integer' && /^-?\d+$/.test(value)) return String(Number(value))
    if (type === 'boolean' && /^(true|1|false|0)$/.test(value)) return String(value === 'true' || value === '1')
    return quote(value)
  }
  return many && values.length > 1 ? `[${values.map(one).join(', ')}]` : one(values[0]!)
}

function quote(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${inner}'`
}

/** In single quotes, where a shell takes everything as it is; NUL is what it cannot be given. */
function quoteShell(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll("'", "'\\''")}'`
}
