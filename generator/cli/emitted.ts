import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { App } from '../../runtime/app.ts'
import { LexidexError } from '../../runtime/core/errors.ts'
import type { Page } from '../../runtime/core/page.ts'
import type { Indexer, IndexerOptions } from '../../runtime/indexer.ts'
import type { Store } from '../../runtime/storage/store.ts'
import { findConfig, loadConfig, resolveConfig } from '../input/config.ts'
import { readD1 } from './d1.ts'
import { display, isUrl, type Project } from './project.ts'
import { openBinding } from './wrangler.ts'

/** What a project serves with: its emitted code, and the parts of lexidex that fit it. */
export interface Emitted {
  readonly app: App
  readonly createIndexer: (store: Store, options?: IndexerOptions) => Indexer<unknown>
  /** Opens a database by the path of its file, by its URL, or as `--d1` names it. */
  readonly openStore: (database: string, options?: OpenStoreOptions) => Promise<Store>
  readonly serve: typeof import('../../runtime/node/index.ts')['serve']
}

export interface OpenStoreOptions {
  /** An existing, migrated database. Default false. */
  readonly readonly?: boolean
  /** URL of a replica to read from. Default: the same database. */
  readonly readFrom?: string | undefined
}

/**
 * Loads the code that was emitted for a project, as TypeScript.
 *
 * @throws LexidexError where it was not generated yet, or cannot be loaded
 */
export async function loadEmitted(project: Project): Promise<Emitted> {
  const index = await emittedIndex(project)
  const load = await loaderOf(index)
  const [emitted, node] = await Promise.all([load(index), load('lexidex/node')])
  const openStore = async (database: string, { readonly = false, readFrom }: OpenStoreOptions = {}) => {
    const d1 = readD1(database)
    if (d1 !== null) {
      const { binding, migrationsTable, close } = await openBinding(project.root, d1)
      return (await load('lexidex/d1')).createD1Store(binding, { migrationsTable, readonly, onClose: close })
    }
    if (!isUrl(database)) return (await load('lexidex/sqlite')).createSqliteStore(database, { readonly })
    const { createPostgresStore } = await load('lexidex/postgres')
    return createPostgresStore(database, { readonly, ...(readFrom === undefined ? {} : { readFrom }) })
  }
  return { app: emitted.app, createIndexer: emitted.createIndexer, openStore, serve: node.serve }
}

/** The page that the project's copy of lexidex has for browsers. */
export async function loadExplorer(project: Project): Promise<Page> {
  const load = await loaderOf(await emittedIndex(project))
  return (await load('lexidex/explorer')).explorer
}

/** Whether a SQLite database has the tables that the project's migrations make, or can still get them. */
export async function isUpToDate(project: Project, database: string): Promise<boolean> {
  const index = await emittedIndex(project)
  const load = await loaderOf(index)
  const [{ app }, { madeBy }] = await Promise.all([load(index), load('lexidex/sqlite')])
  return madeBy(database, app.migrations.sqlite ?? [])
}

/** Absolute path of the emitted `index.ts`. */
async function emittedIndex({ root, explicitConfig }: Project): Promise<string> {
  const configPath = findConfig(root, explicitConfig)
  const { config } = resolveConfig(await loadConfig(configPath), { root, configPath })
  const index = path.join(root, config.outDir, 'index.ts')
  if (existsSync(index)) return index
  throw new LexidexError(`${display(index)} does not exist.`, { hint: 'Run `npx lexidex generate` first.' })
}

/**
 * Imports modules as `file` itself would: the same copy of lexidex. Another copy would have other classes, and
 * `instanceof` would fail between the two.
 */
async function loaderOf(file: string): Promise<(id: string) => Promise<any>> {
  if (!isModule(file)) {
    throw new LexidexError('The generated code is ES modules, but the project is not.', {
      hint: 'Put `"type": "module"` into package.json.',
    })
  }
  const tsx = await import('tsx/esm/api')
  tsx.register()
  const { resolve } = createRequire(file)
  return (id) => {
    try {
      return import(pathToFileURL(resolve(id)).href)
    } catch (cause) {
      throw new LexidexError(`The project has no \`${id}\`.`, { hint: 'Install it: `npm install lexidex`.', cause })
    }
  }
}

/** Whether Node takes a `.ts` or `.js` file for an ES module: the nearest package.json says so. */
function isModule(file: string): boolean {
  for (let at = path.dirname(file); ; at = path.dirname(at)) {
    const manifest = path.join(at, 'package.json')
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).type === 'module'
    if (path.dirname(at) === at) return false
  }
}
