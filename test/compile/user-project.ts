import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const repository = path.resolve(import.meta.dirname, '../..')
const tsc = path.join(repository, 'node_modules/typescript/bin/tsc')

/** How a user's project may resolve modules. */
export const RESOLUTIONS = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
} as const

export type Resolution = keyof typeof RESOLUTIONS

/**
 * A project outside of the repository that has `lexidex` installed as users have it: declarations only, found
 * through the package's exports. Everything else that is installed here can be imported as well.
 */
export class UserProject {
  readonly root: string
  readonly #outer: string

  constructor() {
    this.#outer = realpathSync(mkdtempSync(path.join(tmpdir(), 'lexidex-user-')))
    this.root = path.join(this.#outer, 'project')
    const installed = path.join(this.root, 'node_modules/lexidex')
    mkdirSync(installed, { recursive: true })
    writeFileSync(path.join(this.root, 'package.json'), '{ "type": "module" }')
    copyFileSync(path.join(repository, 'package.json'), path.join(installed, 'package.json'))
    symlinkSync(path.join(repository, 'node_modules'), path.join(this.#outer, 'node_modules'), 'dir')
    emitDeclarations(path.join(installed, 'dist'))
  }

  /** Writes a file; `file` is relative to the project. */
  write(file: string, content: string): void {
    mkdirSync(path.dirname(path.join(this.root, file)), { recursive: true })
    writeFileSync(path.join(this.root, file), content)
  }

  /**
   * Type-checks files strictly.
   *
   * @param include patterns of the files, relative to the project
   * @param options further compiler options
   * @returns one line per error, with paths relative to the project
   */
  check(include: readonly string[], resolution: Resolution, options: object = {}): string[] {
    const compilerOptions = {
      ...RESOLUTIONS[resolution],
      target: 'es2022',
      lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
      types: [],
      strict: true,
      verbatimModuleSyntax: true,
      exactOptionalPropertyTypes: true,
      noFallthroughCasesInSwitch: true,
      forceConsistentCasingInFileNames: true,
      // Declarations of other packages are not ours to mend; those of lexidex are checked in their sources.
      skipLibCheck: true,
      noEmit: true,
      ...options,
    }
    const config = path.join(this.root, 'tsconfig.json')
    writeFileSync(config, JSON.stringify({ compilerOptions, include, exclude: ['node_modules'] }))
    const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', config, '--pretty', 'false'], {
      cwd: this.root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    // Lines that go on with an error are indented.
    return (stdout + stderr).split('\n').filter((line) => /^\S/.test(line))
  }

  remove(): void {
    rmSync(this.#outer, { recursive: true, force: true })
  }
}

function emitDeclarations(outDir: string): void {
  const config = path.join(repository, '.tsconfig.build.json')
  // Errors in our own sources are found where those are checked.
  const args = [tsc, '-p', config, '--noCheck', '--emitDeclarationOnly', '--outDir', outDir]
  execFileSync(process.execPath, args, { stdio: 'pipe' })
}
