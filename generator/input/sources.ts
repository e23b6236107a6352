import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Issues } from './issues.ts'

/** A place that lexicon documents are read from. */
export interface LexiconSource {
  readonly kind: 'directory' | 'package'
  /** As the user knows it: the path relative to the project, or the name of the package. */
  readonly name: string
  /** Absolute path. */
  readonly path: string
  /** Absolute path of a directory below that is left out: what we generate ourselves. */
  readonly except?: string
}

interface Context {
  readonly root: string
  /** Directory of the config file. */
  readonly configDir: string
  /** Absolute path of the directory that is generated. */
  readonly outDir: string
}

/**
 * Finds what the entries of `lexicons` mean: a directory beside the config, one in the project's root, or an
 * npm package. Without entries: `lexicons` beside the config or in the root, where it exists.
 */
export function resolveSources(
  entries: readonly string[] | undefined,
  context: Context,
  issues: Issues,
): LexiconSource[] {
  if (entries === undefined) {
    const found = findDirectory('lexicons', context)
    return found === undefined ? [] : [directory(found, 'lexicons', context, issues)]
  }
  const sources: LexiconSource[] = []
  for (const [i, entry] of entries.entries()) {
    const at = `lexicons.${i}`
    const found = findDirectory(entry, context)
    const inPackages = found ?? findPackage(entry, context.root)
    if (found !== undefined) sources.push(directory(found, at, context, issues))
    else if (inPackages !== undefined) sources.push({ kind: 'package', name: entry, path: inPackages })
    else {
      issues.error('unknown-lexicons', at, `\`${entry}\` is neither a directory nor an installed package.`, {
        hint: 'Directories are relative to the config file; packages are looked for in `node_modules`.',
      })
    }
  }
  return sources
}

function findDirectory(entry: string, { root, configDir }: Context): string | undefined {
  return [path.resolve(configDir, entry), path.resolve(root, entry)].find(isDirectory)
}

function directory(found: string, at: string, { root, outDir }: Context, issues: Issues): LexiconSource {
  const name = path.relative(root, found).replaceAll(path.sep, '/') || '.'
  if (isWithin(found, outDir)) {
    issues.error('out-dir-conflict', at, `\`${name}\` is in \`outDir\`, where everything is replaced by each run.`, {
      hint: 'Keep lexicons and generated code in different directories.',
    })
  }
  const source = { kind: 'directory', name, path: found } as const
  return isWithin(outDir, found) ? { ...source, except: outDir } : source
}

/** Walks up as Node does. `require.resolve` would need the package to export its `package.json`. */
function findPackage(name: string, root: string): string | undefined {
  if (!/^(@[a-z0-9._~-]+\/)?[a-z0-9._~-]+$/i.test(name) || name.startsWith('.')) return undefined
  for (let at = root; ; at = path.dirname(at)) {
    const candidate = path.join(at, 'node_modules', name)
    if (existsSync(path.join(candidate, 'package.json'))) return candidate
    if (path.dirname(at) === at) return undefined
  }
}

function isWithin(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner)
  return relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative))
}

function isDirectory(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false
}
