/** Results of a benchmark, and how they are printed. */

export type Cell = string | number | null

/** One table: every row has the same keys, which are its headings. */
export interface Table {
  readonly title: string
  readonly rows: readonly Readonly<Record<string, Cell>>[]
  /** What the figures are, one line each. */
  readonly notes: readonly string[]
}

export interface BenchOptions {
  /** Smaller and shorter, for a look while working. */
  readonly quick: boolean
  /** Share of the usual number of records, where the benchmark has many; 1 is all of them. */
  readonly scale: number
  /** Tells how far it is, on one line. */
  readonly progress: (text: string) => void
}

export interface Bench {
  readonly name: string
  readonly summary: string
  run(options: BenchOptions): Promise<readonly Table[]>
}

/** A table as text, numbers to the right. */
export function formatTable({ title, rows, notes }: Table): string {
  const lines = [title, '']
  const [first] = rows
  if (first !== undefined) {
    const headings = Object.keys(first)
    const texts = rows.map((row) => headings.map((heading) => formatCell(row[heading] ?? null)))
    const widths = headings.map((heading, i) => Math.max(heading.length, ...texts.map((cells) => cells[i]!.length)))
    const isNumeric = headings.map((heading) => rows.every((row) => typeof row[heading] !== 'string'))
    const line = (cells: readonly string[]) =>
      cells
        .map((cell, i) => (isNumeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd()
    lines.push(line(headings), line(widths.map((width) => '-'.repeat(width))), ...texts.map(line))
  }
  if (notes.length > 0) lines.push('', ...notes)
  return lines.join('\n')
}

function formatCell(cell: Cell): string {
  if (cell === null) return '–'
  if (typeof cell === 'string') return cell
  if (Number.isInteger(cell) || Math.abs(cell) >= 100) return Math.round(cell).toLocaleString('en-US')
  return cell.toFixed(Math.abs(cell) >= 10 ? 1 : 2)
}

/** The middle of several runs: a pause of the machine spoils one of them, not the result. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
