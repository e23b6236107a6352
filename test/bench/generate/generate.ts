/** The generator, and the least that anything like it has to do. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Lexicons, parseLexiconDoc } from '@atproto/lexicon'
import { generate } from '../../../generator/generate.ts'
import { offer } from '../rpc.ts'

const methods = {
  async generate(root: string): Promise<Generated> {
    const startedAt = performance.now()
    const result = await generate({ root, cacheDir: path.join(root, 'cache') })
    const ms = performance.now() - startedAt
    const { stale, missing, extra } = result.drift
    return { ms, files: result.files.length, changed: stale.length + missing.length + extra.length }
  },
  /** Reads and checks the lexicons, and writes files as many and as long as `generate` did. In ms. */
  raw(root: string): number {
    const outDir = path.join(root, 'src/lexidex')
    const files = readdirSync(outDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => ({ path: path.relative(outDir, file), content: readFileSync(file, 'utf8') }))
    const startedAt = performance.now()
    const directory = path.join(root, 'lexicons')
    const lexicons = new Lexicons()
    for (const file of readdirSync(directory)) {
      lexicons.add(parseLexiconDoc(JSON.parse(readFileSync(path.join(directory, file), 'utf8'))))
    }
    for (const { path: file, content } of files) {
      const copy = path.join(`${outDir}-raw`, file)
      mkdirSync(path.dirname(copy), { recursive: true })
      writeFileSync(copy, content)
    }
    return performance.now() - startedAt
  },
}

export interface Generated {
  readonly ms: number
  readonly files: number
  /** Files that were written anew. */
  readonly changed: number
}

export type Generator = typeof methods

offer(methods)
