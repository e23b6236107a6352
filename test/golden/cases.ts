import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { bookkeeping } from '../../generator/dialects/sqlite/bookkeeping.ts'
import { type EmittedFile, GenerateError, generate } from '../../generator/generate.ts'
import { formatIssues, type Issue } from '../../generator/input/issues.ts'
import { sqlHeader } from '../../generator/print/header.ts'
import { printSql } from '../../generator/print/sql.ts'
import { cacheDir, repository } from '../generator/support/project.ts'

const BOOKKEEPING = printSql(bookkeeping).slice(sqlHeader.length)
const folder = path.join(repository, 'fixtures/cases')

/** One folder of `fixtures/cases`. */
export interface Case {
  readonly name: string
  /** Absolute path. */
  readonly root: string
}

export const cases: readonly Case[] = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({ name, root: path.join(folder, name) }))
  .sort((a, b) => (a.name < b.name ? -1 : 1))

/** What the generator makes of a project. */
export interface Outcome {
  /** By path relative to `outDir`; null where nothing can be generated. */
  readonly files: Readonly<Record<string, string>> | null
  readonly issues: readonly Issue[]
}

/** Runs the generator on a project and writes nothing. */
export async function run(root: string): Promise<Outcome> {
  try {
    const { files, issues } = await generate({ root, write: false, cacheDir })
    return { files: byPath(files), issues }
  } catch (error) {
    if (!(error instanceof GenerateError)) throw error
    return { files: null, issues: error.issues }
  }
}

function byPath(files: readonly EmittedFile[]): Record<string, string> {
  return Object.fromEntries(files.map(({ path, content }) => [path, content]))
}

/**
 * What a case states: the files below `expected/` and `issues.txt`. `files.txt` lists which of the emitted files it is
 * about, as paths or as folders with `/` at the end; without it, the case is about all of them. Where it is about some,
 * the tables that are the same in every migration are left out.
 */
export class Golden {
  readonly #root: string

  constructor({ root }: Case) {
    this.#root = root
  }

  /** By path relative to `expected/`; null where the case expects that nothing can be generated. */
  files(): Record<string, string> | null {
    const expected = path.join(this.#root, 'expected')
    if (!existsSync(expected)) return null
    const files = readdirSync(expected, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    return Object.fromEntries(
      files.map((entry) => {
        const file = path.join(entry.parentPath, entry.name)
        return [path.relative(expected, file).replaceAll(path.sep, '/'), readFileSync(file, 'utf8')]
      }),
    )
  }

  /** Empty where the case expects no issues. */
  issues(): string {
    return this.#read('issues.txt') ?? ''
  }

  /** Those of the emitted files that the case is about. */
  select(files: Readonly<Record<string, string>>): Record<string, string> {
    const wanted = this.#read('files.txt')
      ?.split('\n')
      .filter((line) => line !== '')
    if (wanted === undefined) return files
    const isWanted = (file: string) =>
      wanted.some((entry) => file === entry || (entry.endsWith('/') && file.startsWith(entry)))
    return Object.fromEntries(
      Object.entries(files)
        .filter(([file]) => isWanted(file))
        .map(([file, content]) => [file, content.replace(BOOKKEEPING, '-- … and the tables of every index\n')]),
    )
  }

  /** Makes the case expect what the generator does now. */
  update({ files, issues }: Outcome): void {
    const expected = path.join(this.#root, 'expected')
    rmSync(expected, { recursive: true, force: true })
    for (const [file, content] of Object.entries(files === null ? {} : this.select(files))) {
      mkdirSync(path.dirname(path.join(expected, file)), { recursive: true })
      writeFileSync(path.join(expected, file), content)
    }
    rmSync(path.join(this.#root, 'issues.txt'), { force: true })
    if (issues.length > 0) writeFileSync(path.join(this.#root, 'issues.txt'), printIssues(issues))
  }

  #read(file: string): string | undefined {
    const at = path.join(this.#root, file)
    return existsSync(at) ? readFileSync(at, 'utf8') : undefined
  }
}

/** As `issues.txt` holds them. */
export function printIssues(issues: readonly Issue[]): string {
  return issues.length === 0 ? '' : `${formatIssues(issues)}\n`
}
