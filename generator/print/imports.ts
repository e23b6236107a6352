/** A name that an emitted file may use, and where it comes from. */
export interface ImportSymbol {
  readonly from: string
  readonly name: string
  readonly as?: string
  readonly type?: boolean
}

/** Candidates from one module: values first, then types. */
export function symbols(from: string, values: readonly string[], types: readonly string[] = []): ImportSymbol[] {
  return [...values.map((name) => ({ from, name })), ...types.map((name) => ({ from, name, type: true }))]
}

/** The import lines for those of `candidates` that `used` holds; sorted, merged by module. */
export function printImports(candidates: readonly ImportSymbol[], used: ReadonlySet<string>): string {
  const modules = new Map<string, Map<string, ImportSymbol>>()
  for (const symbol of candidates) {
    const local = symbol.as ?? symbol.name
    if (!used.has(local)) continue
    const names = modules.get(symbol.from) ?? new Map<string, ImportSymbol>()
    modules.set(symbol.from, names.set(local, symbol))
  }
  return [...modules]
    .sort(([a], [b]) => compare(rank(a), rank(b)) || compare(a, b))
    .map(([from, names]) => printModule(from, [...names.values()]))
    .join('')
}

function printModule(from: string, names: readonly ImportSymbol[]): string {
  const [first] = names
  if (first?.name === 'default' && names.length === 1)
    return `${first.type ? 'import type' : 'import'} ${first.as} from '${from}'\n`
  const allTypes = names.every((symbol) => symbol.type)
  const parts = [...names]
    .sort((a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()) || compare(a.name, b.name))
    .map((symbol) => {
      const name = symbol.as === undefined ? symbol.name : `${symbol.name} as ${symbol.as}`
      return symbol.type && !allTypes ? `type ${name}` : name
    })
  const keyword = allTypes ? 'import type' : 'import'
  const line = `${keyword} { ${parts.join(', ')} } from '${from}'\n`
  return line.length <= 120 ? line : `${keyword} {\n${parts.map((part) => `  ${part},\n`).join('')}} from '${from}'\n`
}

// Packages, then what is above, then what is beside.
function rank(from: string): number {
  return from.startsWith('../') ? 1 : from.startsWith('./') ? 2 : 0
}

function compare<T>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
