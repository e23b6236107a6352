import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
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
  const extra = previousFiles(outDir).filter((path) => !emitted.has(path) && existsSync(join(outDir, path)))
  return { stale, missing, extra }
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

function previousFiles(outDir: string): string[] {
  const path = join(outDir, MANIFEST)
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .filter(isInside)
}

// A manifest is a file in the user's repository; a damaged one must not reach outside of its directory.
function isInside(path: string): boolean {
  return !posix.isAbsolute(path) && !posix.normalize(path).startsWith('..') && !/^[a-zA-Z]:|\\/.test(path)
}

function removeEmpty(outDir: string, folder: string): void {
  for (let at = folder; at !== '.'; at = posix.dirname(at)) {
    if (readdirSync(join(outDir, at)).length > 0) return
    rmdirSync(join(outDir, at))
  }
}
