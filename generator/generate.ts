import path from 'node:path'
import type { LexiconDoc } from '@atproto/lexicon'
import type { Dialect } from './dialects/dialect.ts'
import { dialects } from './dialects/registry.ts'
import type { EmitContext, RecordPaths } from './emit/artifact.ts'
import { artifacts } from './emit/registry.ts'
import { reachable } from './input/closure.ts'
import { findConfig, loadConfig, type ResolvedConfig, resolveConfig } from './input/config.ts'
import { GenerateError, type Issue, Issues } from './input/issues.ts'
import { loadLexicons } from './input/lexicons.ts'
import { compareText } from './input/order.ts'
import { buildModel } from './model/build.ts'
import { checkDefinitions } from './model/definitions.ts'
import { Definitions, recordPaths } from './model/fields.ts'
import { supportedFilters } from './model/filters.ts'
import type { Model } from './model/types.ts'
import { checkColumns } from './plan/columns.ts'
import { planSchema } from './plan/schema.ts'
import { checkServed } from './plan/served.ts'
import { compareFiles, type Drift, type EmittedFile, foreignFiles, printFiles, writeFiles } from './print/files.ts'

export { GenerateError, type Issue } from './input/issues.ts'
export type { Model } from './model/types.ts'
export type { Drift, EmittedFile } from './print/files.ts'

export interface GenerateOptions {
  /** Absolute path of the project. */
  readonly root: string
  /** Path of the config file; default: where `findConfig` looks. */
  readonly configPath?: string
  /** Whether to write files; default true. */
  readonly write?: boolean
  /** Absolute path of the directory that keeps slow results between runs; default: below the project's `node_modules`. */
  readonly cacheDir?: string
}

export interface GenerateResult {
  /** Absolute path of the directory that the files belong to. */
  readonly outDir: string
  /** What should be in `outDir`; paths relative to it. */
  readonly files: readonly EmittedFile[]
  /** Warnings. */
  readonly issues: readonly Issue[]
  readonly model: Model
  /** How `outDir` differed before anything was written. */
  readonly drift: Drift
}

/**
 * Reads lexicons and config, and writes the indexer that they describe.
 *
 * @throws GenerateError with every problem of config and lexicons; nothing is written then
 */
export async function generate(options: GenerateOptions): Promise<GenerateResult> {
  const configPath = options.configPath ?? findConfig(options.root)
  const { config, issues: found } = resolveConfig(await loadConfig(configPath), { root: options.root, configPath })
  const issues = new Issues()
  issues.add(...found)

  const nsids = config.collections.map((collection) => collection.collection)
  const loaded = await loadLexicons(config.lexicons, { needed: nsids })
  issues.add(...loaded.issues)
  const model = buildModel(loaded.docs, config, issues)
  const plan = planSchema(model)
  checkServed(model, plan, issues)
  for (const name of config.databases) checkColumns(model, plan, dialects[name], issues)
  if (issues.hasErrors) throw new GenerateError(issues.list())

  const reached = reachable(loaded.docs, nsids)
  issues.add(...reached.issues)
  checkDefinitions(reached.docs, issues)
  if (issues.hasErrors) throw new GenerateError(issues.list())

  const cacheDir = options.cacheDir ?? path.join(config.root, 'node_modules/.cache/lexidex')
  const files = await emit({ model, plan }, config, loaded.docs, reached.docs, cacheDir)
  const outDir = path.join(config.root, config.outDir)
  const drift = compareFiles(outDir, files)
  if (options.write ?? true) {
    for (const file of foreignFiles(outDir, drift)) {
      issues.error(
        'foreign-file',
        `${config.outDir}/${file}`,
        'A file of this name is there, and lexidex did not write it.',
        {
          hint: 'Move it elsewhere, or choose another `outDir`.',
        },
      )
    }
    if (issues.hasErrors) throw new GenerateError(issues.list())
    writeFiles(outDir, files, drift)
  }
  return { outDir, files, issues: issues.list(), model, drift }
}

async function emit(
  { model, plan }: Pick<EmitContext, 'model' | 'plan'>,
  config: ResolvedConfig,
  all: readonly LexiconDoc[],
  docs: readonly LexiconDoc[],
  cacheDir: string,
): Promise<EmittedFile[]> {
  const context: EmitContext = {
    model,
    plan,
    dialects: dialectsOf(config),
    docs,
    records: recordTypes(all),
    configImport: (folder = '') => configImport(config, folder),
    cacheDir,
  }
  const drafts = []
  for (const artifact of artifacts) drafts.push(...(await artifact.emit(context)))
  return printFiles(drafts)
}

/** Of databases that take the same migrations, one. */
function dialectsOf({ databases }: ResolvedConfig): readonly Dialect[] {
  return [...new Map(databases.map((name): [string, Dialect] => [dialects[name].name, dialects[name]])).values()]
}

function recordTypes(docs: readonly LexiconDoc[]): RecordPaths[] {
  const definitions = new Definitions(docs)
  return definitions
    .records()
    .sort(compareText)
    .map((nsid) => {
      const paths = recordPaths(definitions, nsid)
      const names = (keep: (path: (typeof paths)[number]) => boolean) => paths.filter(keep).map(({ path }) => path)
      return {
        nsid,
        queryable: names(({ kind }) => kind !== null),
        range: names(({ kind }) => kind !== null && supportedFilters(kind).includes('range')),
        searchable: names(({ searchable }) => searchable),
        field: names(({ kind }) => kind === 'text' || kind === 'cid' || kind === 'datetime'),
      }
    })
}

/** How a file of a folder of `outDir` imports the config. */
function configImport(config: ResolvedConfig, folder: string): string {
  const relative = path.posix.relative(path.posix.join(config.outDir, folder), config.configPath)
  return (relative.startsWith('.') ? relative : `./${relative}`).replace(/\.(m?)ts$/, '.$1js')
}
