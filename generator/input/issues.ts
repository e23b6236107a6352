import { styleText } from 'node:util'
import { LexidexError } from '../../runtime/core/errors.ts'
import { compareText } from './order.ts'

/** Something that is wrong with, or worth knowing about, the user's config or lexicons. */
export interface Issue {
  readonly severity: 'error' | 'warning'
  /** Kebab-case and stable, for example `unknown-path`. */
  readonly code: string
  /**
   * Where: in the config (`collections.event.queryable.startAt`), in a lexicon
   * (`community.lexicon.calendar.event#main/record/properties/mode`), or a file (`lexicons/event.json`).
   */
  readonly path: string
  readonly message: string
  /** What the reader can do. */
  readonly hint?: string
}

/** Collects issues, so that all of them are reported in one run. */
export class Issues {
  readonly #issues: Issue[] = []

  /** Adds a problem that generation cannot go on with. */
  error(code: string, path: string, message: string, options: { hint?: string | undefined } = {}): void {
    this.add(issue('error', code, path, message, options.hint))
  }

  /** Adds something that the user should know; generation goes on. */
  warn(code: string, path: string, message: string, options: { hint?: string | undefined } = {}): void {
    this.add(issue('warning', code, path, message, options.hint))
  }

  add(...issues: readonly Issue[]): void {
    this.#issues.push(...issues)
  }

  /** All issues, sorted by path, then code. */
  list(): Issue[] {
    return sortIssues(this.#issues)
  }

  get hasErrors(): boolean {
    return this.#issues.some((issue) => issue.severity === 'error')
  }
}

function issue(severity: Issue['severity'], code: string, path: string, message: string, hint?: string): Issue {
  return hint === undefined ? { severity, code, path, message } : { severity, code, path, message, hint }
}

function sortIssues(issues: readonly Issue[]): Issue[] {
  return [...issues].sort(
    (a, b) => compareText(a.path, b.path) || compareText(a.code, b.code) || compareText(a.message, b.message),
  )
}

/** Config or lexicons that nothing can be generated from. Its message lists every issue. */
export class GenerateError extends LexidexError {
  /** Errors and warnings, sorted. */
  readonly issues: readonly Issue[]

  constructor(issues: readonly Issue[]) {
    super(formatIssues(issues))
    this.name = 'GenerateError'
    this.issues = sortIssues(issues)
  }
}

/**
 * Issues as text for people: each path once, its issues below, and the totals at the end.
 * Empty where there are no issues. Without a newline at the end.
 *
 * @param options.color whether to use ANSI colours; default false
 */
export function formatIssues(issues: readonly Issue[], options: { color?: boolean } = {}): string {
  if (issues.length === 0) return ''
  const paint: Paint = options.color
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_, text) => text
  const blocks: string[] = []
  let path: string | undefined
  for (const issue of sortIssues(issues)) {
    const lines = formatIssue(issue, paint)
    if (issue.path === path) blocks.push(`${blocks.pop()}\n${lines}`)
    else blocks.push(`${paint('bold', issue.path)}\n${lines}`)
    path = issue.path
  }
  return [...blocks, formatTotals(issues)].join('\n\n')
}

type Paint = (style: 'bold' | 'cyan' | 'dim' | 'red' | 'yellow', text: string) => string

function formatIssue({ severity, code, message, hint }: Issue, paint: Paint): string {
  const label = paint(severity === 'error' ? 'red' : 'yellow', severity)
  const line = `  ${label} ${indent(message)} ${paint('dim', `(${code})`)}`
  return hint === undefined ? line : `${line}\n    ${paint('cyan', 'hint:')} ${indent(hint)}`
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n    ')
}

function formatTotals(issues: readonly Issue[]): string {
  const errors = issues.filter((issue) => issue.severity === 'error').length
  const warnings = issues.length - errors
  return [plural(errors, 'error'), plural(warnings, 'warning')].filter((text) => text !== '').join(', ')
}

function plural(count: number, word: string): string {
  return count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`
}

/**
 * The candidate that `word` was probably meant to be: the nearest one by edits (insert, remove, change or
 * swap of letters; case is free), where no more than a third of the word and four letters differ.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.min(4, Math.max(1, Math.floor(word.length / 3)))
  let best: { candidate: string; distance: number } | undefined
  for (const candidate of [...candidates].sort(compareText)) {
    if (Math.abs(candidate.length - word.length) > limit) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { candidate, distance }
  }
  return best?.candidate
}

function editDistance(a: string, b: string): number {
  let previous: number[] = []
  let current = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const beforePrevious = previous
    previous = current
    current = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = swapped ? beforePrevious[j - 2]! + 1 : Number.POSITIVE_INFINITY
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, change, swap))
    }
  }
  return current[b.length]!
}
