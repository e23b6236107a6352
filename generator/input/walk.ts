import { readdirSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { compareText } from './order.ts'
import type { LexiconSource } from './sources.ts'

/** Absolute paths of the JSON files below a source, in the same order everywhere. Skips `node_modules` and hidden names. */
export function* jsonFiles(source: LexiconSource): Generator<string> {
  yield* walk(source.path, source.except, new Set())
}

/** @param seen real paths of the directories above and before, against links in circles */
function* walk(directory: string, except: string | undefined, seen: Set<string>): Generator<string> {
  const real = realpathSync(directory)
  if (seen.has(real) || directory === except) return
  seen.add(real)
  for (const name of readdirSync(directory).sort(compareText)) {
    if (name === 'node_modules' || name.startsWith('.')) continue
    const file = path.join(directory, name)
    // Follows links; one that leads nowhere is nothing to read.
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat?.isDirectory()) yield* walk(file, except, seen)
    else if (stat?.isFile() && name.endsWith('.json')) yield file
  }
}
