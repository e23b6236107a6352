/** Runs benchmarks by name. Every figure stands beside what the same machine does without us, in the same run. */
import { parseArgs } from 'node:util'
import { backfillBench } from './backfill/bench.ts'
import { d1Bench } from './d1/bench.ts'
import { generateBench } from './generate/bench.ts'
import { liveBench } from './live/bench.ts'
import { mixedBench } from './mixed/bench.ts'
import { postgresBench } from './postgres/bench.ts'
import { readsBench } from './reads/bench.ts'
import { type Bench, formatTable, type Table } from './report.ts'
import { profileChildren } from './rpc.ts'

const benches: readonly Bench[] = [
  liveBench,
  backfillBench,
  readsBench,
  mixedBench,
  postgresBench,
  d1Bench,
  generateBench,
]

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    scale: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    'cpu-prof': { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (flags.help) {
  console.log(help())
  process.exit(0)
}
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}.\n\n${help()}`)
  process.exit(2)
}
const scale = Number(flags.scale)
if (!(scale > 0)) {
  console.error(`--scale must be a number above 0.\n\n${help()}`)
  process.exit(2)
}
if (flags['cpu-prof'] !== undefined) profileChildren(flags['cpu-prof'])

const results: Record<string, readonly Table[]> = {}
for (const bench of benches) {
  if (positionals.length > 0 && !positionals.includes(bench.name)) continue
  const tables = await bench.run({ quick: flags.quick, scale, progress })
  results[bench.name] = tables
  if (!flags.json) for (const table of tables) console.log(`${formatTable(table)}\n`)
}
if (flags.json) console.log(JSON.stringify({ node: process.version, quick: flags.quick, results }, null, 2))

/** Results go to stdout, this does not. */
function progress(text: string): void {
  if (process.stderr.isTTY) console.error(`  ${text}`)
}

function help(): string {
  const names = benches.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`)
  return `npm run bench -- [name …] [--quick] [--scale <n>] [--json] [--cpu-prof <directory>]

Benchmarks; all of them where none is named:
${names.join('\n')}

  --quick      smaller and shorter; all of it in less than three minutes
  --scale      times as many records, for reads: 0.1 is a tenth
  --json       results as JSON
  --cpu-prof   a CPU profile of every process, written into the directory`
}
