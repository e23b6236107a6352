import { builtinModules } from 'node:module'
import { build, type Metafile, type Plugin } from 'esbuild'
import { explorerModule } from '../scripts/explorer-module.ts'

export interface WorkerBundle {
  readonly code: string
  readonly meta: Metafile
}

/** The explorer's page as text, as the package has it. */
const explorerAsPackaged: Plugin = {
  name: 'explorer',
  setup({ onLoad }) {
    onLoad({ filter: /runtime[/\\]explorer[/\\]assets\.ts$/ }, async () => ({ contents: await explorerModule() }))
  },
}

/**
 * Bundles a Worker as Wrangler does: no platform's modules, the conditions of workerd. What cannot be found fails, Node's
 * modules included.
 *
 * @param entry relative to the repository
 */
export async function bundleWorker(entry: string, options: { minify?: boolean } = {}): Promise<WorkerBundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['lexidex-source', 'workerd', 'worker', 'browser', 'import'],
    minify: options.minify ?? false,
    plugins: [explorerAsPackaged],
    logLevel: 'silent',
  })
  return { code: outputFiles[0]!.text, meta: metafile }
}

const NODES = new Set(builtinModules)

/** Imports of modules that only Node has, and of drivers, as `importer -> module`. */
export function foreignImports({ meta }: WorkerBundle): string[] {
  const imports = Object.entries(meta.inputs).flatMap(([file, { imports }]) =>
    imports.map(({ path, external }) => ({ file, path, external })),
  )
  return imports
    .filter(({ path, external }) => external || path.startsWith('node:') || NODES.has(path))
    .map(({ file, path }) => `${file} -> ${path}`)
}

/** Names of the packages in it. */
export function packagesIn({ meta }: WorkerBundle): string[] {
  const names = Object.keys(meta.inputs).flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [])
  return [...new Set(names)].sort()
}
