import { cpSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { findConfig } from '../../../generator/input/load.ts'

export const repository = path.resolve(import.meta.dirname, '../../..')

/** What generators of all tests share, so that a document is given to lex-cli once. */
export const cacheDir = path.join(repository, 'node_modules/.cache/lexidex-test')

/** A new directory, which the caller removes. */
export function scratchDirectory(prefix: string): string {
  return realpathSync(mkdtempSync(path.join(tmpdir(), prefix)))
}

/** A directory that is gone once the test is finished. */
export function temporaryDirectory(): string {
  const directory = scratchDirectory('lexidex-test-')
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Writes files, by path relative to `root`. */
export function writeTree(root: string, files: Readonly<Record<string, string>>): void {
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
    writeFileSync(path.join(root, file), content)
  }
}

/** A user's project outside of the repository, in which `lexidex` and its dependencies are found. */
export function temporaryProject(files: Readonly<Record<string, string>> = {}): string {
  const root = temporaryDirectory()
  writeTree(root, { 'package.json': '{ "type": "module" }', ...files })
  mkdirSync(path.join(root, 'node_modules'))
  symlinkSync(repository, path.join(root, 'node_modules/lexidex'), 'dir')
  return root
}

/** A project elsewhere, with another config in place of its own, which that may import as `./original.config.ts`. */
export function projectWithConfig(root: string, config: string): string {
  const project = temporaryProject()
  cpSync(root, project, { recursive: true, filter: (file) => !/[/\\](expected|node_modules)$/.test(file) })
  const file = findConfig(project)
  renameSync(file, path.join(path.dirname(file), 'original.config.ts'))
  writeFileSync(file, config)
  return project
}
