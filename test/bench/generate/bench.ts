import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Bench, BenchOptions, Cell } from '../report.ts'
import { median } from '../report.ts'
import { startChild } from '../rpc.ts'
import { withScratch } from '../scratch.ts'
import type { Generated, Generator } from './generate.ts'

const CORPUS = path.resolve(import.meta.dirname, '../../../../shared/corpus/lexicons/bluesky-social+atproto')
const TURNS = 3
const CHANGED = 'app.bsky.feed.post.json'

/** `generate()` on all of Bluesky's lexicons. */
export const generateBench: Bench = {
  name: 'generate',
  summary: 'time of generate() on every app.bsky and com.atproto lexicon: cold, warm, and after a change',
  async run(options) {
    if (!existsSync(CORPUS)) {
      return [{ title: 'Generate: skipped', rows: [], notes: [`There are no lexicons in ${CORPUS}.`] }]
    }
    const lexicons = readdirSync(CORPUS).filter((file) => /^(app\.bsky|com\.atproto)\./.test(file))
    const records = lexicons.filter((file) => file.startsWith('app.bsky.') && isRecord(file))
    const rows = await withScratch((root) => measure(root, lexicons, records, options))
    return [
      {
        title: `Generate: ${lexicons.length} lexicons, ${records.length} collections`,
        rows,
        notes: [
          'generate(): without the imports before it. process: all of it, from start to end.',
          'cold: no cache. warm: nothing changed. Each in a new process, but for watching, which stays in one.',
          'raw: reading and parsing the same lexicons with @atproto/lexicon, and writing the same files.',
        ],
      },
    ]
  },
}

async function measure(
  root: string,
  lexicons: readonly string[],
  records: readonly string[],
  { quick, progress }: BenchOptions,
): Promise<Record<string, Cell>[]> {
  mkdirSync(path.join(root, 'lexicons'))
  for (const file of lexicons) cpSync(path.join(CORPUS, file), path.join(root, 'lexicons', file))
  writeFileSync(path.join(root, 'lexidex.config.ts'), config(records))
  const runs: Record<string, Run[]> = { cold: [], warm: [], 'one file changed': [], 'the same, watching': [] }
  const raw: number[] = []
  let edits = 0
  const edit = () => changeDescription(path.join(root, 'lexicons', CHANGED), ++edits)
  for (let turn = 0; turn < (quick ? 1 : TURNS); turn++) {
    progress(`generate: turn ${turn + 1}`)
    for (const directory of ['src', 'cache']) rmSync(path.join(root, directory), { recursive: true, force: true })
    runs.cold!.push(await inNewProcess((generator) => generator.generate(root)))
    runs.warm!.push(await inNewProcess((generator) => generator.generate(root)))
    edit()
    runs['one file changed']!.push(await inNewProcess((generator) => generator.generate(root)))
    edit()
    const watching = await inNewProcess(async (generator) => {
      // The first change loads what the cache has spared until then.
      await generator.generate(root)
      edit()
      return generator.generate(root)
    })
    runs['the same, watching']!.push({ ...watching, processMs: null })
    raw.push((await inNewProcess(async (generator) => ({ ms: await generator.raw(root), files: 0, changed: 0 }))).ms)
  }
  return Object.entries(runs).map(([run, results]) => {
    const processMs = results.flatMap((result) => result.processMs ?? [])
    return {
      run,
      'generate() ms': Math.round(median(results.map(({ ms }) => ms))),
      'raw ms': Math.round(median(raw)),
      'process ms': processMs.length === 0 ? null : Math.round(median(processMs)),
      files: results[0]!.files,
      changed: results[0]!.changed,
    }
  })
}

interface Run extends Generated {
  /** From the start of the process to its end. */
  readonly processMs: number | null
}

async function inNewProcess(work: (generator: Remote) => Promise<Generated>): Promise<Run> {
  const startedAt = performance.now()
  const child = startChild<Generator>('generate/generate.ts')
  try {
    const generated = await work(child.call)
    return { ...generated, processMs: performance.now() - startedAt }
  } finally {
    await child.close()
  }
}

type Remote = ReturnType<typeof startChild<Generator>>['call']

/** A config with a collection for every record type: `app.bsky.feed.post` is `feedPost`. */
function config(records: readonly string[]): string {
  const collections = records.map((file) => {
    const nsid = path.basename(file, '.json')
    const name = nsid
      .split('.')
      .slice(2)
      .map((part, i) => (i === 0 ? part : part[0]!.toUpperCase() + part.slice(1)))
      .join('')
    return `    ${name}: { collection: '${nsid}' },`
  })
  return `export default {
  namespace: 'com.example',
  lexicons: ['lexicons'],
  collections: {
${collections.join('\n')}
  },
}
`
}

function isRecord(file: string): boolean {
  return JSON.parse(readFileSync(path.join(CORPUS, file), 'utf8')).defs.main?.type === 'record'
}

function changeDescription(file: string, edit: number): void {
  const document = JSON.parse(readFileSync(file, 'utf8'))
  document.defs.main.description = `Changed ${edit} times by a benchmark.`
  writeFileSync(file, JSON.stringify(document, null, 2))
}
