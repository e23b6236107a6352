import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, posix, sep } from 'node:path'
import type { Statement } from '../dialects/dialect.ts'
import { marker } from './header.ts'
import { printSql } from './sql.ts'
import { printTypescript, type TypescriptDraft } from './typescript.ts'

/** An emitted file before it is text. Paths are relative to `outDir`, with `/`. */
export type Draft =
  | TypescriptDraft
  | { readonly kind: 'sql'; readonly path: string; readonly statements: readonly Statement[] }
  | { readonly kind: 'json'; readonly path: string; readonly value: unknown }

/** An emitted file. */
export interface EmittedFile {
  readonly path: string
  readonly content: string
}

/** How a directory differs from what should be there. Paths relative to it, sorted. */
export interface Drift {
  readonly stale: readonly string[]
  readonly missing: readonly string[]
  /** Emitted once, and no longer. */
  readonly extra: readonly string[]
}

/** Prints drafts as text, sorted by path. */
export function printFiles(drafts: readonly Draft[]): EmittedFile[] {
  const files = drafts.map((draft) => ({ path: draft.path, content: printDraft(draft) }))
  const manifest = [...files.map((file) => file.path), MANIFEST].sort()
  files.push({ path: MANIFEST, content: `${[`# ${marker}`, ...manifest].join('\n')}\n` })
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function printDraft(draft: Draft): string {
  if (draft.kind === 'typescript') return printTypescript(draft)
  if (draft.kind === 'sql') return printSql(draft.statements)
  return `${JSON.stringify(draft.value, null, 2)}\n`
}

/**
 * The list of emitted files, itself emitted: what it names may be removed once it is no longer emitted. A user's
 * file is never in it, so never touched.
 */
const MANIFEST = '.lexidex-files'

/** Compares `outDir` with `files`. A file that differs in its line ends only is not stale. */
export function compareFiles(outDir: string, files: readonly EmittedFile[]): Drift {
  const stale: string[] = []
  const missing: string[] = []
  for (const file of files) {
    const path = join(outDir, file.path)
    if (!existsSync(path)) missing.push(file.path)
    else if (readFileSync(path, 'utf8').replaceAll('\r\n', '\n') !== file.content) stale.push(file.path)
  }
  const emitted = new Set(files.map((file) => file.path))
  const extra = previousFiles(outDir).filter((path) => !emitted.has(path) && isOurs(outDir, path))
  return { stale, missing, extra: extra.sort() }
}

/** Those of the stale files that were never emitted: a user's own, which must not be overwritten. */
export function foreignFiles(outDir: string, drift: Drift): string[] {
  const previous = new Set(previousFiles(outDir))
  // Without a manifest it is not known whose the JSON is.
  const isKnown = (path: string) => previous.has(path) || (previous.size === 0 && !hasHeader(path))
  return drift.stale.filter((path) => path !== MANIFEST && !isKnown(path) && !isMarked(join(outDir, path)))
}

/** Makes `outDir` hold `files`: writes what differs, removes what was emitted once and no longer is. */
export function writeFiles(outDir: string, files: readonly EmittedFile[], drift: Drift): void {
  const changed = new Set([...drift.stale, ...drift.missing])
  for (const file of files) {
    if (!changed.has(file.path)) continue
    mkdirSync(dirname(join(outDir, file.path)), { recursive: true })
    writeFileSync(join(outDir, file.path), file.content)
  }
  for (const path of drift.extra) {
    rmSync(join(outDir, path))
    removeEmpty(outDir, posix.dirname(path))
  }
}

/** What the manifest in `outDir` names. */
function previousFiles(outDir: string): string[] {
  const path = join(outDir, MANIFEST)
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .filter(isInside)
    .map((path) => posix.normalize(path))
}

// A manifest is a file in the user's repository; a damaged one must not reach outside of its directory.
function isInside(path: string): boolean {
  return !posix.isAbsolute(path) && !posix.normalize(path).startsWith('..') && !/^[a-zA-Z]:|[\\\0]/.test(path)
}

/** Whether a path that the manifest names is a file that was emitted, in `outDir` itself and not by way of a link. */
function isOurs(outDir: string, path: string): boolean {
  const file = join(outDir, path)
  if (!lstatSync(file, { throwIfNoEntry: false })?.isFile()) return false
  if (!realpathSync(file).startsWith(realpathSync(outDir) + sep)) return false
  return !hasHeader(path) || isMarked(file)
}

/** JSON has no comments, so no header either. */
function hasHeader(path: string): boolean {
  return !path.endsWith('.json')
}

function isMarked(file: string): boolean {
  return readFileSync(file, 'utf8').slice(0, 200).includes(marker)
}

function removeEmpty(outDir: string, folder: string): void {
  for (let at = folder; at !== '.'; at = posix.dirname(at)) {
    if (readdirSync(join(outDir, at)).length > 0) return
    rmdirSync(join(outDir, at))
  }
}
