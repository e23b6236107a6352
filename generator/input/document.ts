import { type LexiconDoc, parseLexiconDoc } from '@atproto/lexicon'
import { messageOf } from '../../runtime/core/errors.ts'

/** Why a file that should hold a lexicon document does not. */
export interface Problem {
  readonly kind: 'problem'
  readonly code: 'invalid-json' | 'invalid-lexicon' | 'wrapped-lexicon'
  readonly message: string
  readonly hint: string
  /** The NSID that the file is about, where it tells. */
  readonly nsid?: string
}

/** What a JSON file turned out to be. */
export type Reading =
  | { readonly kind: 'document'; readonly doc: LexiconDoc }
  | Problem
  /** Not a lexicon. `expected`: a file of other tools, nobody takes it for one. */
  | { readonly kind: 'other'; readonly expected: boolean }

/** Reads one file. Never throws; `name` is the file's name without directories. */
export function readLexicon(text: string, name: string): Reading {
  let json: unknown
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    return {
      kind: 'problem',
      code: 'invalid-json',
      message: `Not JSON: ${messageOf(error)}.`,
      hint: 'Correct the file.',
    }
  }
  if (!isObject(json) || !('lexicon' in json)) return readOther(json, name)
  try {
    return { kind: 'document', doc: parseLexiconDoc(json) }
  } catch (error) {
    const nsid = nsidOf(json)
    return {
      kind: 'problem',
      code: 'invalid-lexicon',
      message: `Not a valid lexicon: ${explain(error)}`,
      hint: 'Correct the document; see https://atproto.com/specs/lexicon.',
      ...(nsid === undefined ? {} : { nsid }),
    }
  }
}

function readOther(json: unknown, name: string): Reading {
  const inside = isObject(json)
    ? Object.entries(json).find(([, value]) => isObject(value) && 'lexicon' in value)
    : undefined
  if (inside !== undefined) {
    const [key, value] = inside
    const where = Array.isArray(json) ? 'in a list' : `under \`${key}\``
    const nsid = nsidOf(value)
    return {
      kind: 'problem',
      code: 'wrapped-lexicon',
      message: `The lexicon is wrapped: the document itself is ${where}.`,
      hint: 'Keep only the document, one per file.',
      ...(nsid === undefined ? {} : { nsid }),
    }
  }
  const ofOtherTools =
    /^(package|package-lock|composer|deno|biome|turbo|vercel|manifest|lexicons|[tj]sconfig(\..+)?|.+\.config)\.json$/
  return { kind: 'other', expected: ofOtherTools.test(name) || (isObject(json) && typeof json.$schema === 'string') }
}

interface ZodProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly unionErrors?: readonly { readonly issues: readonly ZodProblem[] }[]
}

/** The validator's own words, with the place in the document; at most three of them. */
function explain(error: unknown): string {
  const problems: readonly ZodProblem[] | undefined = (error as { issues?: readonly ZodProblem[] }).issues
  if (problems === undefined) return messageOf(error)
  const lines = problems
    .map(deepest)
    .map(({ path, message }) => `${path.length === 0 ? '' : `${path.join('.')}: `}${message}`)
  const more = lines.length > 3 ? `\n… and ${lines.length - 3} more` : ''
  return (lines.length === 1 ? '' : '\n') + lines.slice(0, 3).join('\n') + more
}

/** Inside a union, the branch that got furthest before it failed: the one that was meant. */
function deepest(problem: ZodProblem): ZodProblem {
  const candidates = (problem.unionErrors ?? []).flatMap((branch) => branch.issues.slice(0, 1).map(deepest))
  return candidates.reduce((best, next) => (next.path.length > best.path.length ? next : best), problem)
}

function nsidOf(json: unknown): string | undefined {
  return isObject(json) && typeof json.id === 'string' ? json.id : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
