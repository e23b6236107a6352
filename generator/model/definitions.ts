import type { LexiconDoc } from '@atproto/lexicon'
import type { Issues } from '../input/issues.ts'

const NAME = /^[a-zA-Z][a-zA-Z0-9_.-]*$/

/** Types that lex-cli imports into every file. */
const IMPORTED = ['BlobRef', 'CID', 'OmitKey', 'ValidationResult']

/**
 * Refuses definitions that emitted types cannot name: lex-cli makes the names by its own rules and does not look
 * whether they are free.
 *
 * @param docs those that types are emitted for
 */
export function checkDefinitions(docs: readonly LexiconDoc[], issues: Issues): void {
  const modules = new Map<string, string>()
  for (const doc of docs) {
    claim(modules, titleCase(doc.id), doc.id, doc.id, issues)
    const types = new Map(IMPORTED.map((name) => [name, 'an import']))
    if (doc.defs.main?.type === 'record') types.set('Record', 'the record')
    const constants = new Map<string, string>()
    for (const [name, { type }] of Object.entries(doc.defs)) {
      const at = `${doc.id}#${name}`
      if (!NAME.test(name)) {
        issues.error('invalid-definition', at, `No type can be named after ${JSON.stringify(name)}.`, {
          hint: 'Definitions are named with letters, digits and hyphens, a letter first.',
        })
      } else if (type === 'token') claim(constants, screamingCase(name), name, at, issues)
      else claim(types, titleCase(name), name, at, issues)
    }
  }
}

function claim(owners: Map<string, string>, name: string, owner: string, at: string, issues: Issues): void {
  const other = owners.get(name)
  if (other === undefined) owners.set(name, owner)
  else {
    issues.error('name-clash', at, `Both ${other} and ${owner} would be \`${name}\` in emitted types.`, {
      hint: 'Rename one of them, in a copy of the lexicon where it is not yours.',
    })
  }
}

function titleCase(name: string): string {
  return name.replace(/(?:^|[.-])([a-z])/gi, (_, letter: string) => letter.toUpperCase()).replace(/[.-]/g, '')
}

function screamingCase(name: string): string {
  return name.replace(/[.-]+/g, '_').toUpperCase()
}
