import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { LexidexError } from '../../runtime/core/errors.ts'
import { compareText } from '../input/order.ts'

/** Where a document was pulled from, and which version. */
export interface Pin {
  /** `at://` URI of its record, or the URL of the service that serves it. */
  readonly uri: string
  readonly cid: string
}

/** What was pulled: in the form that the SDK's own installer of lexicons keeps, too. */
export interface Manifest {
  /** NSIDs that were asked for. The others are what those refer to. */
  readonly lexicons: readonly string[]
  /** By NSID. */
  readonly resolutions: Readonly<Record<string, Pin>>
}

/** Name of the file, in the directory of the documents. */
export const MANIFEST = 'lexicons.json'

const schema = z.object({
  version: z.literal(1),
  lexicons: z.array(z.string()),
  resolutions: z.record(z.string(), z.object({ uri: z.string(), cid: z.string() })),
})

/** @throws LexidexError where the file is not a manifest */
export function readManifest(directory: string): Manifest {
  const file = path.join(directory, MANIFEST)
  if (!existsSync(file)) return { lexicons: [], resolutions: {} }
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new LexidexError(`${file} is not a manifest of pulled lexicons.`, {
      hint: 'Restore it from version control, or remove it and pull again.',
      cause,
    })
  }
}

/** Writes it sorted, so that it reads well in review. An empty one is not written. */
export function writeManifest(directory: string, { lexicons, resolutions }: Manifest): void {
  if (Object.keys(resolutions).length === 0) return
  const manifest = {
    version: 1,
    lexicons: [...new Set(lexicons)].sort(compareText),
    resolutions: Object.fromEntries(
      Object.entries(resolutions)
        .sort(([a], [b]) => compareText(a, b))
        .map(([nsid, { uri, cid }]) => [nsid, { uri, cid }]),
    ),
  }
  mkdirSync(directory, { recursive: true })
  writeFileSync(path.join(directory, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`)
}
