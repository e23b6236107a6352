import type { Draft } from '../print/files.ts'
import type { ImportSymbol } from '../print/imports.ts'
import type { Artifact } from './artifact.ts'
import { type ApiFile, generateApi } from './lex-cli.ts'
import { knownKeysOnly } from './lex-cli-input.ts'

/** `records/**`: record types and their lexicons, by lex-cli. */
export const records: Artifact = {
  emit: async ({ docs, cacheDir }) => (await generateApi(docs.map(knownKeysOnly), cacheDir)).map(toDraft),
}

const IMPORT = /^import \{([^}]*)\} from '([^']+)'\n/gm
const BANNER = /^\/\*\*\n \* GENERATED CODE - DO NOT MODIFY\n \*\/\n+/

/** What lex-cli declares in every file of types, and how it is used. Projects may forbid names that nothing uses. */
const HELPERS = [
  { declaration: /^const is\$typed = _is\$typed,\n {2}validate = _validate\n/m, use: /\bvalidate</ },
  { declaration: /^const id = '.*'\n/m, use: /, id, |\$\{id\}/ },
]

// Classes that lexicons.ts constructs; all else of packages is named as a type only.
const VALUES = new Set(['Lexicons', 'ValidationError'])

/**
 * A file of lex-cli's with its imports mended: from `lexidex/records`, so that users need no further package, types
 * as types, so that nothing is loaded for them, and only what is used.
 */
function toDraft(file: ApiFile): Draft {
  const imports = [...file.content.matchAll(IMPORT)].flatMap(([, names, from]) =>
    names!
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((name) => toSymbol(name, from!)),
  )
  let body = file.content.replaceAll(IMPORT, '').replace(BANNER, '')
  for (const { declaration, use } of HELPERS) if (!use.test(body)) body = body.replace(declaration, '')
  return { kind: 'typescript', path: `records${file.path}`, body: body.trimStart(), imports }
}

/** `type A`, `A` or `a as b`, as lex-cli imports it. */
function toSymbol(text: string, from: string): ImportSymbol {
  const [name, as] = text.replace(/^type /, '').split(' as ')
  const isLocal = from.startsWith('.')
  return {
    from: isLocal ? from : 'lexidex/records',
    name: name!,
    type: text.startsWith('type ') || (!isLocal && !VALUES.has(name!)),
    ...(as === undefined ? {} : { as }),
  }
}
