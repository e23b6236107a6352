import path from 'node:path'
import { LexidexError } from '../../runtime/core/errors.ts'
import { findConfig, loadConfig, type ResolvedConfig, resolveConfig } from '../input/config.ts'
import { loadLexicons } from '../input/lexicons.ts'
import { existingConfig } from '../input/load.ts'
import type { LexiconSource } from '../input/sources.ts'
import { readDirectory } from '../lexicons/documents.ts'
import type { Project } from './project.ts'

/** What the commands about lexicons need of a project; it may have no config yet. */
export interface LexiconProject {
  /** Absolute path of the directory that pulled documents are kept in. */
  readonly directory: string
  /** NSIDs of the configured records that no source holds, nor lexidex itself. */
  readonly missing: readonly string[]
  /** NSIDs that other sources than `directory` hold. */
  readonly elsewhere: ReadonlySet<string>
  readonly plc: string
  readonly allowHosts: readonly string[]
}

/**
 * @param out directory relative to the root, where it was named; else the first one of the config
 * @throws LexidexError where the config cannot be read, or names no directory
 */
export async function lexiconProject({ root, explicitConfig }: Project, out?: string): Promise<LexiconProject> {
  const hasConfig = explicitConfig !== undefined || existingConfig(root) !== undefined
  if (!hasConfig) {
    const directory = path.resolve(root, out ?? 'lexicons')
    return { directory, missing: [], elsewhere: new Set(), plc: 'https://plc.directory', allowHosts: [] }
  }
  const configPath = findConfig(root, explicitConfig)
  const raw = await loadConfig(configPath)
  const { config } = resolveConfig(raw, { root, configPath })
  const directory = out === undefined ? directoryOf(config, raw, path.dirname(configPath)) : path.resolve(root, out)
  const { plc, allowHosts } = config
  const others = config.lexicons.filter((source) => source.path !== directory)
  const elsewhere = new Set(others.flatMap(({ path, except }) => [...readDirectory(path, except).keys()]))
  return { directory, missing: await missingOf(config), elsewhere, plc, allowHosts }
}

async function missingOf({ lexicons, collections }: ResolvedConfig): Promise<string[]> {
  const needed = collections.map(({ collection }) => collection)
  const { docs } = await loadLexicons(lexicons, { needed })
  const there = new Set<string>(docs.map(({ id }) => id))
  return needed.filter((nsid) => !there.has(nsid))
}

function directoryOf({ root, lexicons }: ResolvedConfig, raw: unknown, configDir: string): string {
  const first = lexicons.find(isDirectory)
  if (first !== undefined) return first.path
  const { lexicons: entries } = raw as { lexicons?: readonly string[] }
  if (entries === undefined) return path.join(root, 'lexicons')
  const absent = entries.find((entry) => !lexicons.some(({ name }) => name === entry))
  if (absent !== undefined) return path.resolve(configDir, absent)
  throw new LexidexError('The `lexicons` of the config name no directory.', {
    hint: "Add one, such as 'lexicons', or name it by --out.",
  })
}

function isDirectory({ kind }: LexiconSource): boolean {
  return kind === 'directory'
}
