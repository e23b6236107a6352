import { createInterface } from 'node:readline/promises'

/** Where a question is asked and answered. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/**
 * Asks a question on the terminal.
 *
 * @returns false as well where nobody can answer, as in CI
 */
export async function confirm(question: string, { stdin, stderr }: Terminal = process): Promise<boolean> {
  if (!stdin.isTTY || !stderr.isTTY) return false
  const terminal = createInterface({ input: stdin, output: stderr })
  // Ctrl-D, or Ctrl-C: the question is left without an answer.
  const left = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), left])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
