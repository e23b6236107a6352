import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { LexiconDoc } from '@atproto/lexicon'
import { forTypes } from './lex-cli-input.ts'

/** A file as `lex gen-api` writes it. */
export interface ApiFile {
  /** With `/` in front. */
  readonly path: string
  readonly content: string
}

/**
 * The types that `lex gen-api` writes for record lexicons, without its client.
 *
 * Its building blocks are called one document at a time: the command as a whole keeps every file in one project and
 * takes seconds for a dozen documents. They are no public interface of lex-cli, hence the pinned version, and a test
 * that compares with the command's own output. What comes of a document is kept by its hash.
 */
export async function generateApi(docs: readonly LexiconDoc[], cacheDir: string): Promise<ApiFile[]> {
  const cache = new Cache(cacheDir)
  const files: ApiFile[] = []
  for (const doc of docs.map(forTypes)) {
    files.push(await cache.get(['types', doc], async () => (await lexCli()).types(doc)))
  }
  files.push(await cache.get(['util'], async () => (await lexCli()).util()))
  files.push(await cache.get(['lexicons', docs], async () => (await lexCli()).lexicons(docs)))
  return files
}

interface LexCli {
  types(doc: LexiconDoc): Promise<ApiFile>
  util(): Promise<ApiFile>
  lexicons(docs: readonly LexiconDoc[]): Promise<ApiFile>
}

const main = fileURLToPath(import.meta.resolve('@atproto/lex-cli'))
let loaded: Promise<LexCli> | undefined

function lexCli(): Promise<LexCli> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<LexCli> {
  const module = (path: string) => import(pathToFileURL(join(dirname(main), 'codegen', path)).href)
  const [common, lexGen] = await Promise.all([module('common.js'), module('lex-gen.js')])
  // The ts-morph that lex-cli itself depends on; ours is of another version.
  const { Project, IndentationText } = createRequire(main)('ts-morph')
  const { Lexicons } = await import('@atproto/lexicon')
  const project = () =>
    new Project({ useInMemoryFileSystem: true, manipulationSettings: { indentationText: IndentationText.TwoSpaces } })

  return {
    util: () => common.utilTs(project()),
    lexicons: (docs) => common.lexiconsTs(project(), docs),
    types: (doc) => {
      const path = `/types/${doc.id.replaceAll('.', '/')}.ts`
      return common.gen(project(), path, async (file: unknown) => {
        const lexicons = new Lexicons([structuredClone(doc)])
        const imports = new Set()
        lexGen.genCommonImports(file, doc.id)
        for (const name of Object.keys(doc.defs)) {
          const isRecord = doc.defs[name]!.type === 'record'
          const generate = isRecord ? lexGen.genRecord : lexGen.genUserType
          generate(file, imports, lexicons, `${doc.id}#${name}`)
        }
        lexGen.genImports(file, imports, doc.id)
      })
    },
  }
}

/** Files by the hash of what they come from. */
class Cache {
  readonly #dir: string
  readonly #version: string

  constructor(dir: string) {
    this.#dir = dir
    this.#version = JSON.parse(readFileSync(join(dirname(main), '../package.json'), 'utf8')).version
  }

  async get(key: unknown, make: () => Promise<ApiFile>): Promise<ApiFile> {
    const hash = createHash('sha256')
      .update(JSON.stringify([this.#version, key]))
      .digest('hex')
      .slice(0, 32)
    const path = join(this.#dir, `${hash}.json`)
    try {
      return JSON.parse(readFileSync(path, 'utf8'))
    } catch {
      // Absent, or cut off by a crash: made anew either way.
    }
    const file = await make()
    try {
      mkdirSync(this.#dir, { recursive: true })
      writeFileSync(`${path}.${process.pid}`, JSON.stringify(file))
      renameSync(`${path}.${process.pid}`, path)
    } catch {
      // A read-only project generates all the same, only slower.
    }
    return file
  }
}
