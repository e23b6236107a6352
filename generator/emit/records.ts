import type { Draft } from '../print/files.ts'
import type { Artifact } from './artifact.ts'
import { type ApiFile, generateApi } from './lex-cli.ts'

/** `records/**`: record types and their lexicons, by lex-cli. */
export const records: Artifact = {
  emit: async ({ docs, cacheDir }) => (await generateApi(docs, cacheDir)).map(toDraft),
}

const IMPORT = /^import \{([^}]*)\} from '(?:@atproto\/lexicon|multiformats\/cid)'\n/gm
const BANNER = /^\/\*\*\n \* GENERATED CODE - DO NOT MODIFY\n \*\/\n+/

// Classes that lexicons.ts constructs; everything else is named as a type only.
const VALUES = new Set(['Lexicons', 'ValidationError'])

/**
 * A file of lex-cli's with its imports mended: from `lexidex/records`, so that users need no further package, and
 * types as types, so that nothing is loaded for them.
 */
function toDraft(file: ApiFile): Draft {
  const imports = [...file.content.matchAll(IMPORT)].flatMap(([, names]) =>
    names!
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== '')
      .map((name) => ({ from: 'lexidex/records', name, type: !VALUES.has(name) })),
  )
  const body = file.content.replaceAll(IMPORT, '').replace(BANNER, '').trimStart()
  return { kind: 'typescript', path: `records${file.path}`, body, imports }
}
