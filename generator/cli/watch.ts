import { existsSync, watch as watchFiles } from 'node:fs'
import path from 'node:path'
import { messageOf } from '../../runtime/core/errors.ts'
import { configDirectories, loadConfig, resolveConfig } from '../input/config.ts'
import { note, printError } from './output.ts'

/** Quiet time after a change before anything is done: editors write a file in several steps. */
const SETTLE_MS = 100

const NEVER = new AbortController().signal

/** What is watched: files in `directory` whose name ends in one of `endings`, but for those below `except`. */
interface Watched {
  readonly directory: string
  readonly endings: readonly string[]
  readonly recursive: boolean
  readonly except?: string | undefined
}

/**
 * Generates now and after every change of the config, of files beside it, or of a lexicon, until `signal` aborts.
 * Problems are printed; watching goes on.
 *
 * @param findConfig absolute path of the config; may throw
 */
export async function watch(
  root: string,
  findConfig: () => string,
  generate: (configPath: string) => Promise<void>,
  { verbose, signal = NEVER }: { verbose: boolean; signal?: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    // Watching starts before generating, so that a change meanwhile is not missed.
    const change = nextChange(await inputsOf(root, findConfig), signal)
    try {
      await generate(findConfig())
    } catch (error) {
      printError(error, { verbose })
    }
    if (!signal.aborted) note('Waiting for changes …')
    await change
  }
}

async function inputsOf(root: string, findConfig: () => string): Promise<Watched[]> {
  const code = { endings: ['.ts', '.js', '.mts', '.mjs'], recursive: false }
  try {
    const configPath = findConfig()
    const { config } = resolveConfig(await loadConfig(configPath), { root, configPath })
    const lexicons = config.lexicons
      .filter((source) => source.kind === 'directory')
      .map((source) => ({ directory: source.path, endings: ['.json'], recursive: true, except: source.except }))
    return [{ directory: path.dirname(configPath), ...code }, ...lexicons]
  } catch {
    // `generate` is about to report the same problem; until it is solved, only the config matters.
    return configDirectories(root)
      .filter((directory) => existsSync(directory))
      .map((directory) => ({ directory, ...code }))
  }
}

/** Resolves once something changed and has been quiet for a moment, or when the signal aborts. */
function nextChange(inputs: readonly Watched[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined
    const watchers = inputs.map((input) => {
      const watcher = watchFiles(input.directory, { recursive: input.recursive }, (_event, name) => {
        if (name === null || concerns(input, name)) {
          clearTimeout(timer)
          timer = setTimeout(done, SETTLE_MS)
        }
      })
      return watcher.on('error', (error) => note(`Cannot watch ${input.directory}: ${messageOf(error)}`))
    })
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      for (const watcher of watchers) watcher.close()
      resolve()
    }
    if (signal.aborted) done()
    else signal.addEventListener('abort', done, { once: true })
  })
}

function concerns({ directory, endings, except }: Watched, name: string): boolean {
  if (!endings.some((ending) => name.endsWith(ending))) return false
  return except === undefined || !path.join(directory, name).startsWith(except + path.sep)
}
