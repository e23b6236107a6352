import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { expectDids, isDid } from '../../runtime/core/at-uri.ts'
import { LexidexError, messageOf } from '../../runtime/core/errors.ts'
import { note } from './output.ts'
import { display } from './project.ts'

/** Lines that are no DIDs and are quoted, at most. */
const QUOTED = 5

export interface DidOptions {
  readonly did: readonly string[]
  readonly fromFile?: string
}

/** Adds `--did` and `--from-file`. */
export function withDids(command: Command): Command {
  return withDid(command).option(
    '--from-file <file>',
    'only the accounts of this file: lines, or a CSV with DIDs in its first column',
  )
}

/** Adds `--did`. */
export function withDid(command: Command): Command {
  const collect = (text: string, before: readonly string[]) => [...before, ...text.split(',').map((did) => did.trim())]
  return command.option('--did <did>', 'only this account; may be repeated, or a list with commas', collect, [])
}

/**
 * Accounts that were named, each once; undefined where none were asked for.
 *
 * @throws LexidexError where one is no DID, or the file cannot be read or names none
 */
export function readDids({ did, fromFile }: DidOptions): readonly string[] | undefined {
  if (did.length === 0 && fromFile === undefined) return undefined
  expectDids(did)
  return [...new Set([...did, ...(fromFile === undefined ? [] : readDidFile(fromFile))])]
}

function readDidFile(file: string): readonly string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new LexidexError(`${display(file)} cannot be read: ${messageOf(cause)}`, {
      hint: 'Name a file that has one DID a line.',
      cause,
    })
  }
  const { dids, others } = parseDids(text)
  for (const { line, text } of others.slice(0, QUOTED)) {
    note(`${display(file)}:${line}: skipped, no DID: ${JSON.stringify(text.slice(0, 80))}`)
  }
  if (others.length > QUOTED) note(`${display(file)}: ${others.length - QUOTED} more lines skipped that are no DIDs`)
  if (dids.length === 0) throw new LexidexError(`${display(file)} names no account`, { hint: 'Write one DID a line.' })
  return dids
}

/** DIDs in the first column of a CSV, or of lines. Empty ones and a header `did` say nothing. */
export function parseDids(text: string): {
  dids: readonly string[]
  others: readonly { line: number; text: string }[]
} {
  const dids: string[] = []
  const others: { line: number; text: string }[] = []
  for (const [i, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const [column = ''] = line.split(/[,;\t]/)
    const did = column
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .trim()
    if (did === '' || did.toLowerCase() === 'did') continue
    if (isDid(did)) dids.push(did)
    else others.push({ line: i + 1, text: line })
  }
  return { dids, others }
}
