import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { GenerateError, type GenerateResult, generate } from '../../../generator/generate.ts'
import { loadLexicons } from '../../../generator/input/lexicons.ts'
import { Definitions, recordPaths, resolvePath } from '../../../generator/model/fields.ts'
import { supportedFilters } from '../../../generator/model/filters.ts'
import { camelCase, upperFirst } from '../../../generator/model/names.ts'
import { cacheDir, repository, writeTree } from './project.ts'

/** Real lexicons, beside the checkout where they are there at all. */
export const corpus = path.resolve(repository, '../shared/corpus/lexicons')

export interface CorpusProject {
  readonly name: string
  /** Absolute path. */
  readonly root: string
}

/**
 * Makes a project of each folder of the corpus, below `directory`. Some documents are there in two differing copies
 * (`x.json`, `x~2.json`), so some folders make two projects.
 */
export function corpusProjects(directory: string): CorpusProject[] {
  if (!existsSync(corpus)) return []
  return readdirSync(corpus)
    .sort()
    .flatMap((folder) => {
      const files = readdirSync(path.join(corpus, folder)).filter((file) => file.endsWith('.json'))
      const seconds = new Set(files.filter((file) => file.includes('~')).map((file) => file.replace(/~\d+/, '')))
      const copies = seconds.size === 0 ? ['first'] : ['first', 'second']
      return copies.map((copy) => {
        const root = path.join(directory, copy === 'first' ? folder : `${folder}-2`)
        const chosen = files.filter((file) => file.includes('~') === (copy === 'second' && isTwin(file, seconds)))
        mkdirSync(path.join(root, 'lexicons'), { recursive: true })
        for (const file of chosen) cpSync(path.join(corpus, folder, file), path.join(root, 'lexicons', file))
        return { name: path.basename(root), root }
      })
    })
}

function isTwin(file: string, seconds: ReadonlySet<string>): boolean {
  return file.includes('~') || seconds.has(file)
}

/** NSIDs of the records of a project, as its files name them. */
export function recordsOf({ root }: CorpusProject): string[] {
  const lexicons = path.join(root, 'lexicons')
  return readdirSync(lexicons)
    .map((file) => JSON.parse(readFileSync(path.join(lexicons, file), 'utf8')))
    .filter((doc) => doc.defs?.main?.type === 'record')
    .map((doc) => doc.id)
    .sort()
}

/**
 * Generates a project with every record that can be, and with all that can be asked of each: every field filtered or
 * ranged, all text searched, a relation and a reference by every pointer.
 *
 * @returns what was generated, and the code of the first error of every record that was left out
 */
export async function generateAll(
  project: CorpusProject,
): Promise<{ result: GenerateResult; refused: Record<string, string> }> {
  const refused: Record<string, string> = {}
  const nsids = recordsOf(project)
  const { docs } = await loadLexicons(
    [{ kind: 'directory', name: 'lexicons', path: path.join(project.root, 'lexicons') }],
    { needed: nsids },
  )
  const definitions = new Definitions(docs)
  for (;;) {
    const remaining = nsids.filter((nsid) => !(nsid in refused))
    writeTree(project.root, { 'lexidex.config.mjs': config(remaining, definitions) })
    try {
      return { result: await generate({ root: project.root, write: false, cacheDir }), refused }
    } catch (error) {
      if (!(error instanceof GenerateError)) throw error
      const culprits = remaining.flatMap((nsid) => {
        const issue = error.issues.find(({ severity, path }) => severity === 'error' && isAbout(path, nsid))
        return issue === undefined ? [] : [[nsid, issue.code] as const]
      })
      if (culprits.length === 0) throw error
      for (const [nsid, code] of culprits) refused[nsid] = code
    }
  }
}

function isAbout(issuePath: string, nsid: string): boolean {
  return (
    `${issuePath}.`.startsWith(`collections.${shortName(nsid)}.`) || issuePath.split(/[#/]/).some((p) => p === nsid)
  )
}

/** Unique, as the whole NSID is in it. */
function shortName(nsid: string): string {
  return camelCase(nsid)
}

function config(nsids: readonly string[], definitions: Definitions): string {
  const collections = nsids.map((nsid) => [shortName(nsid), collection(nsid, definitions)])
  const value = { namespace: 'com.example.index', profiles: [], collections: Object.fromEntries(collections) }
  return `export default ${JSON.stringify(value, null, 2)}\n`
}

function collection(nsid: string, definitions: Definitions) {
  const paths = recordPaths(definitions, nsid)
  const pointers = paths.flatMap(({ path }) => {
    const found = resolvePath(definitions, nsid, path)
    const format = 'problem' in found ? undefined : found.schema.format
    return format === 'at-uri' || format === 'did' ? [{ field: path, match: format === 'did' ? 'did' : 'uri' }] : []
  })
  const grouped = paths.find(({ path }) => {
    const found = resolvePath(definitions, nsid, path)
    return !('problem' in found) && found.schema.knownValues?.length > 0
  })
  const named = <V>(prefix: string, value: (pointer: (typeof pointers)[number]) => V) =>
    Object.fromEntries(pointers.map((pointer) => [prefix + upperFirst(camelCase(pointer.field)), value(pointer)]))
  return {
    collection: nsid,
    queryable: Object.fromEntries(
      paths.flatMap(({ path, kind }) =>
        kind === null ? [] : [[path, supportedFilters(kind).includes('range') ? { type: 'range' as const } : {}]],
      ),
    ),
    searchable: paths.filter(({ searchable }) => searchable).map(({ path }) => path),
    relations: named('from', ({ field, match }) => ({
      ...{ collection: shortName(nsid), field, match },
      ...(grouped && { groupBy: grouped.path }),
    })),
    references: named('to', ({ field }) => ({ collection: shortName(nsid), field })),
  }
}
