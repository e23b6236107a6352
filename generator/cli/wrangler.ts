import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { LexidexError } from '../../runtime/core/errors.ts'
import type { D1Binding } from '../../runtime/storage/d1/index.ts'
import type { D1Database } from './d1.ts'

const CONFIGS = ['wrangler.json', 'wrangler.jsonc', 'wrangler.toml']

/** The Wrangler config of a project; null where it has none. */
export function findWranglerConfig(root: string): string | null {
  return CONFIGS.map((name) => path.join(root, name)).find((file) => existsSync(file)) ?? null
}

/** What is read of a Wrangler config. */
export interface WranglerConfig {
  readonly file: string
  readonly name: string
  readonly accountId: string | undefined
  readonly compatibilityDate: string | undefined
  readonly databases: readonly WranglerDatabase[]
  readonly crons: readonly string[]
}

/** An entry of `d1_databases`. */
export interface WranglerDatabase {
  readonly binding: string
  readonly migrations_table?: string
}

/**
 * Reads a project's Wrangler config by the project's own Wrangler.
 *
 * @throws LexidexError where either is missing
 */
export async function readWranglerConfig(root: string): Promise<WranglerConfig> {
  const file = findWranglerConfig(root)
  if (file === null) {
    throw new LexidexError(`There is no Wrangler config in ${root}.`, {
      hint: `It is ${CONFIGS.join(', ')}. Name the directory of the project with --root.`,
    })
  }
  const { unstable_readConfig: read } = await loadWrangler(root)
  const config = read({ config: file }, { hideWarnings: true })
  return {
    file,
    name: config.name ?? 'lexidex',
    accountId: config.account_id,
    compatibilityDate: config.compatibility_date,
    databases: config.d1_databases as unknown as readonly WranglerDatabase[],
    crons: config.triggers.crons ?? [],
  }
}

type Wrangler = typeof import('wrangler')

/** Wrangler as the project has it: an optional peer, for those who deploy to Workers. */
async function loadWrangler(root: string): Promise<Wrangler> {
  const { resolve } = createRequire(path.join(root, 'package.json'))
  try {
    return await import(pathToFileURL(resolve('wrangler')).href)
  } catch (cause) {
    throw noWrangler(cause)
  }
}

/**
 * The file that starts Wrangler.
 *
 * @throws LexidexError where the project has none
 */
export function wranglerBin(root: string): string {
  const { resolve } = createRequire(path.join(root, 'package.json'))
  try {
    return path.join(path.dirname(resolve('wrangler/package.json')), 'bin/wrangler.js')
  } catch (cause) {
    throw noWrangler(cause)
  }
}

function noWrangler(cause: unknown): LexidexError {
  return new LexidexError('The project has no `wrangler`, which leads to its D1 databases.', {
    hint: 'Install it: `npm install --save-dev wrangler`.',
    cause,
  })
}

/** A way to a D1 database, until it is closed. */
export interface OpenBinding {
  readonly binding: D1Binding
  /** `migrations_table` of the Wrangler config. */
  readonly migrationsTable: string | undefined
  close(): Promise<void>
}

/**
 * Opens a database of the project's Wrangler config: that of `wrangler dev`, or the deployed one, with the rights that
 * `wrangler login` or `CLOUDFLARE_API_TOKEN` gives.
 *
 * @throws LexidexError where there is no such binding, or it cannot be reached
 */
export async function openBinding(root: string, { binding: name, isRemote }: D1Database): Promise<OpenBinding> {
  const config = await readWranglerConfig(root)
  const database = config.databases.find(({ binding }) => binding === name)
  if (database === undefined) {
    const others = config.databases.map(({ binding }) => binding).join(', ')
    throw new LexidexError(`${path.basename(config.file)} has no D1 database with the binding ${name}.`, {
      hint: others === '' ? 'Add one to `d1_databases`.' : `It has ${others}: name one with --binding.`,
    })
  }
  const { getPlatformProxy } = await loadWrangler(root)
  const state = path.join(path.dirname(config.file), '.wrangler')
  const own = writeConfigFor(config, database, { state, isRemote })
  try {
    const proxy = await getPlatformProxy<Record<string, D1Binding>>({
      configPath: own,
      persist: { path: path.join(state, 'state/v3') },
      remoteBindings: isRemote,
      envFiles: [],
    })
    const close = () => proxy.dispose()
    return { binding: proxy.env[name]!, migrationsTable: database.migrations_table, close }
  } catch (cause) {
    throw new LexidexError(`Wrangler cannot open the D1 database ${name}: ${(cause as Error).message}`, {
      hint: isRemote ? 'Log in with `npx wrangler login`, or set CLOUDFLARE_API_TOKEN.' : undefined,
      cause,
    } as { hint?: string; cause: unknown })
  } finally {
    rmSync(own, { force: true })
  }
}

/**
 * A config with that one database: what else a Worker is bound to need not be there for it. Where the deployed one is
 * wanted, that is said in the config alone.
 */
export function writeConfigFor(
  { name, accountId, compatibilityDate }: WranglerConfig,
  database: WranglerDatabase,
  { state, isRemote }: { readonly state: string; readonly isRemote: boolean },
): string {
  const directory = path.join(state, 'tmp')
  mkdirSync(directory, { recursive: true })
  const file = path.join(directory, `lexidex-${process.pid}.json`)
  const config = {
    name,
    ...(accountId === undefined ? {} : { account_id: accountId }),
    ...(compatibilityDate === undefined ? {} : { compatibility_date: compatibilityDate }),
    d1_databases: [{ ...database, remote: isRemote }],
  }
  writeFileSync(file, JSON.stringify(config, null, 2))
  return file
}
