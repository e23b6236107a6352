import { styleText } from 'node:util'
import { messageOf } from '../../runtime/core/errors.ts'
import { formatIssues, type Issue } from '../input/issues.ts'

/** What the process ends with. */
export const ExitCode = { done: 0, problem: 1, usage: 2 } as const

/** Thrown by a command that has said all there is to say and ends with `ExitCode.problem`. */
export class Reported extends Error {}

/** Writes one line to stdout: what was asked for. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Writes one line to stderr: what goes on beside it. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Keeps stdout for what `print` writes: what the index logs to the console goes to stderr. */
export function logToStderr(): void {
  console.log = console.error
}

/** Writes warnings to stderr. */
export function printIssues(issues: readonly Issue[]): void {
  if (issues.length > 0) note(`${formatIssues(issues, { color: hasColors() })}\n`)
}

/**
 * Writes an error to stderr: what is wrong and what to do, and the stack trace only where it is asked for
 * (`--verbose`, or `DEBUG` in the environment).
 */
export function printError(error: unknown, options: { verbose: boolean }): void {
  const { issues, hint } = error as { issues?: readonly Issue[]; hint?: string }
  if (issues !== undefined) printIssues(issues)
  else note(`${paint('red', 'error')} ${messageOf(error)}`)
  if (hint !== undefined) note(`  ${paint('cyan', 'hint:')} ${hint}`)
  if (options.verbose || process.env.DEBUG) note(error instanceof Error ? stackOf(error) : String(error))
  else if (issues === undefined && hint === undefined)
    note(`  ${paint('cyan', 'hint:')} --verbose shows where it happened.`)
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${stackOf(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}

function paint(style: 'cyan' | 'red', text: string): string {
  return hasColors() ? styleText(style, text, { validateStream: false }) : text
}

function hasColors(): boolean {
  if (process.env.NO_COLOR) return false
  if (process.env.FORCE_COLOR) return true
  return process.stderr.isTTY === true && process.stderr.hasColors()
}
