import type { z } from 'zod'
import type { Issues } from './issues.ts'

type Problem = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** What a key that must be there is for. */
const MISSING: Readonly<Record<string, string>> = {
  namespace: 'A reverse domain that the name of every method starts with, for example `com.example`.',
  collections: 'What to index: `{ event: { collection: "community.lexicon.calendar.event" } }`.',
  collection:
    'In a collection, the NSID of its record type; in a relation or reference, the short name of another collection.',
  field: 'The field that holds the pointer, for example `subject.uri`.',
}

/** Reports what zod found, in the words of the config. */
export function reportProblems(problems: readonly Problem[], issues: Issues, base: Path = []): void {
  for (const problem of problems) report(problem, [...base, ...problem.path], issues)
}

function report(problem: Problem, path: Path, issues: Issues): void {
  const at = path.join('.')
  const [message, hint] = problem.message.split('\n')
  switch (problem.code) {
    case 'unrecognized_keys':
      // The schema gives one line per key.
      for (const [i, key] of problem.keys.entries()) {
        issues.error('unknown-key', [...path, key].join('.'), `There is no key \`${key}\`.`, {
          hint: problem.message.split('\n')[i],
        })
      }
      return
    case 'invalid_key':
      // The key of a record, a short name for example: the problems are those of the key itself.
      reportProblems(problem.issues, issues, path)
      return
    case 'invalid_union': {
      const branch = meantBranch(problem.errors)
      if (branch !== undefined) reportProblems(branch, issues, path)
      else issues.error('wrong-type', at, message!, { hint })
      return
    }
    case 'invalid_type':
      if (problem.input === undefined) {
        const key = String(path.at(-1) ?? '')
        issues.error('missing-key', at, key === '' ? 'There is no config.' : `\`${key}\` is missing.`, {
          hint: MISSING[key],
        })
      } else issues.error('wrong-type', at, plain(message!), { hint })
      return
    case 'custom':
      issues.error(problem.params?.code ?? 'invalid-value', at, message!, { hint })
      return
    default:
      issues.error('invalid-value', at, plain(message!), { hint })
  }
}

/** The branch of a union whose type fits but whose content does not; undefined where no branch fits at all. */
function meantBranch(branches: readonly (readonly Problem[])[]): readonly Problem[] | undefined {
  const fitting = branches.filter((problems) => !problems.some((p) => p.path.length === 0 && isTypeProblem(p)))
  return fitting[0]
}

function isTypeProblem(problem: Problem): boolean {
  return problem.code === 'invalid_type' || problem.code === 'invalid_value'
}

/** `Invalid input: expected string, received number` as `Expected string, received number.` */
function plain(message: string): string {
  const text = message.replace(/^Invalid (input|option): /, '').replaceAll('|', ', ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`
}
