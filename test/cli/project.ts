import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'

const repository = path.resolve(import.meta.dirname, '../..')

/** A project of its own in a temporary directory, in which lexidex is installed. */
export class TestProject {
  /** Added to the environment of what is started. */
  readonly env: Record<string, string> = {}
  readonly root = realpathSync(mkdtempSync(path.join(tmpdir(), 'lexidex-cli-')))

  constructor(type: 'module' | 'commonjs' = 'module') {
    this.write('package.json', JSON.stringify({ type }))
    mkdirSync(path.join(this.root, 'node_modules'))
    symlinkSync(repository, path.join(this.root, 'node_modules/lexidex'), 'dir')
  }

  write(file: string, text: string): void {
    const at = path.join(this.root, file)
    mkdirSync(path.dirname(at), { recursive: true })
    writeFileSync(at, text)
  }

  read(file: string): string {
    return readFileSync(path.join(this.root, file), 'utf8')
  }

  /** Starts the command line in the project. */
  start(...args: string[]): Running {
    return new Running(this.root, args, this.env)
  }

  /** Runs the command line in the project, to its end. */
  run(...args: string[]): Promise<Ended> {
    return this.start(...args).ended
  }

  remove(): void {
    rmSync(this.root, { recursive: true })
  }
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export class Running {
  readonly ended: Promise<Ended>
  readonly process: ChildProcessByStdio<null, Readable, Readable>
  stdout = ''
  stderr = ''

  constructor(cwd: string, args: readonly string[], extra: Readonly<Record<string, string>>) {
    const cli = [path.join(repository, 'generator/cli.ts'), ...args]
    const loader = ['-C', 'lexidex-source', '--import', import.meta.resolve('tsx')]
    const env = { ...process.env, NO_COLOR: '1', NODE_OPTIONS: '', DEBUG: '', ...extra }
    this.process = spawn(process.execPath, [...loader, ...cli], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.process.stdout.on('data', (data) => (this.stdout += data))
    this.process.stderr.on('data', (data) => (this.stderr += data))
    this.ended = new Promise((resolve, reject) => {
      this.process.on('error', reject)
      this.process.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }))
    })
  }

  /** Waits until the output holds `text` for the `count`th time. Fails where the process ends before. */
  async until(text: string, count = 1): Promise<void> {
    const seen = () => (this.stdout + this.stderr).split(text).length > count
    let over = false
    this.ended.then(() => {
      over = true
    })
    while (!seen()) {
      if (over) throw new Error(`It ended without "${text}":\n${this.stdout}${this.stderr}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
