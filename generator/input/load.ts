import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { tsImport } from 'tsx/esm/api'
import { LexidexError, messageOf } from '../../runtime/core/errors.ts'

const DIRECTORIES = ['', 'src', 'src/lib', 'app']
const FILES = ['lexidex.config.ts', 'lexidex.config.js', 'lexidex.config.mts', 'lexidex.config.mjs']

/** Absolute paths of the directories that a config may be in, in the order in which they are looked at. */
export function configDirectories(root: string): string[] {
  return DIRECTORIES.map((directory) => path.join(root, directory))
}

/** The first config file of a project, where there is one. */
export function existingConfig(root: string): string | undefined {
  const candidates = configDirectories(root).flatMap((directory) => FILES.map((file) => path.join(directory, file)))
  return candidates.find((file) => existsSync(file))
}

/**
 * The config file of a project: `explicit` (relative to `root`), or the first `lexidex.config.{ts,js,mts,mjs}`
 * in the root, `src/`, `src/lib/` and `app/`.
 *
 * @returns its absolute path
 * @throws LexidexError where there is none
 */
export function findConfig(root: string, explicit?: string): string {
  if (explicit !== undefined) {
    const file = path.resolve(root, explicit)
    if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file
    throw new LexidexError(`There is no config file ${explicit}.`, {
      hint: 'Write one with `npx lexidex init`, or correct the path.',
    })
  }
  const found = existingConfig(root)
  if (found !== undefined) return found
  const places = DIRECTORIES.map((directory) => (directory === '' ? 'the project directory' : `${directory}/`)).join(
    ', ',
  )
  throw new LexidexError(`No lexidex.config.ts in ${root}.`, {
    hint: `Looked in ${places} for ${FILES.join(', ')}. Write one with \`npx lexidex init\`, or name it with \`--config\`.`,
  })
}

/**
 * Imports a config file, TypeScript or JavaScript, afresh on every call.
 *
 * @param file absolute path
 * @returns its default export, or its export `config`
 * @throws LexidexError that names file and line where it cannot be imported
 */
export async function loadConfig(file: string): Promise<unknown> {
  let module: Record<string, any>
  try {
    module = await tsImport(pathToFileURL(file).href, { parentURL: import.meta.url })
  } catch (error) {
    throw importError(error, file)
  }
  // A project without "type": "module" loads its config as CommonJS, which wraps the exports once more.
  const exports = module.default?.__esModule ? module.default : module
  const config = exports.default ?? exports.config
  if (config === undefined) {
    throw new LexidexError(`${display(file)} exports no config.`, {
      hint: 'Write `export default defineConfig({ … })`, or `export const config = …`.',
    })
  }
  return config
}

function importError(error: unknown, file: string): LexidexError {
  const message = messageOf(error)
  const syntax = /^(.+):(\d+):(\d+): ERROR: (.+)$/m.exec(message)
  if (syntax !== null) {
    const [, at, line, column, problem] = syntax
    // esbuild counts columns from 0, editors from 1.
    return new LexidexError(`${display(at!)}:${line}:${Number(column) + 1}: ${problem}`, {
      hint: 'Correct the syntax.',
      cause: error,
    })
  }
  const missing = /Cannot find (?:package|module) '([^']+)'/.exec(message)?.[1]
  if (missing !== undefined) return missingImport(missing, message, file, error)
  const at = frameOf(error, file)
  return new LexidexError(`${at}: ${message}`, { hint: 'The config threw this while it was imported.', cause: error })
}

function missingImport(missing: string, message: string, file: string, cause: unknown): LexidexError {
  const from = /(?:imported from |Require stack:\s*- )([^\n?]+)/.exec(message)?.[1]?.trim() ?? file
  const importer = from.startsWith('file:') ? fileURLToPath(from) : from
  const at = existsSync(importer)
    ? `${display(importer)}${lineOfImport(importer, path.basename(missing))}`
    : display(file)
  const isPath = missing.startsWith('.') || path.isAbsolute(missing)
  const shown = path.isAbsolute(missing) ? display(missing) : missing
  const hint = isPath ? 'Correct the path of the import.' : `Install it: \`npm install ${missing}\`.`
  return new LexidexError(`${at}: cannot find ${isPath ? 'the file' : 'the package'} \`${shown}\`.`, { hint, cause })
}

/** `:line` of the import whose path ends in `name`; empty where it is not to be found. */
function lineOfImport(file: string, name: string): string {
  const lines = readFileSync(file, 'utf8').split('\n')
  const index = lines.findIndex((line) => /['"`]/.test(line) && line.includes(name))
  return index === -1 ? '' : `:${index + 1}`
}

/** Where in the user's own code the error came from. */
function frameOf(error: unknown, file: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  for (const line of stack.split('\n')) {
    const frame = /(?:\(|at (?:async )?)((?:file:\/\/)?[^()\s][^()]*?)(?:\?[^:()]*)?:(\d+):(\d+)\)?$/.exec(line.trim())
    if (frame === null || /node:|node_modules/.test(frame[1]!)) continue
    const source = frame[1]!.startsWith('file:') ? fileURLToPath(frame[1]!) : frame[1]!
    return `${display(source)}:${frame[2]}:${frame[3]}`
  }
  return display(file)
}

function display(file: string): string {
  const relative = path.relative(process.cwd(), file)
  return relative.startsWith('..') || relative === '' ? file : relative
}
