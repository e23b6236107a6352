import { LexidexError } from '../../core/errors.ts'

// Arrays in Postgres' binary form: no element has to be escaped here, nor parsed there.

const TEXT_OID = 25
const INT8_OID = 20
const HEADER = 20
const NULL = -1
const TWO_32 = 2 ** 32

/** One `text[]`. NUL, which no text of Postgres holds, is left out. */
export function textArray(values: readonly (string | null)[]): Buffer {
  const texts = values.map((text) => (text?.includes('\0') ? text.replaceAll('\0', '') : text))
  const size = texts.reduce((sum, text) => sum + 4 + (text === null ? 0 : Buffer.byteLength(text)), HEADER)
  const bytes = header(size, TEXT_OID, values.length)
  let at = HEADER
  for (const text of texts) {
    const length = text === null ? NULL : bytes.write(text, at + 4)
    bytes.writeInt32BE(length, at)
    at += 4 + Math.max(0, length)
  }
  return bytes
}

/**
 * One `bigint[]`.
 *
 * @throws LexidexError where a value is no integer that a number holds exactly
 */
export function bigintArray(values: readonly (string | number | null)[]): Buffer {
  const bytes = header(
    HEADER + values.reduce<number>((sum, n) => sum + (n === null ? 4 : 12), 0),
    INT8_OID,
    values.length,
  )
  let at = HEADER
  for (const value of values) {
    if (value === null) {
      at = bytes.writeInt32BE(NULL, at)
      continue
    }
    if (!Number.isSafeInteger(value)) throw new LexidexError(`Not an integer: ${value}`)
    const n = value as number
    at = bytes.writeInt32BE(8, at)
    at = bytes.writeInt32BE(Math.floor(n / TWO_32), at)
    at = bytes.writeUInt32BE(n - Math.floor(n / TWO_32) * TWO_32, at)
  }
  return bytes
}

function header(size: number, type: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  // One dimension, which may hold nulls and begins at 1.
  bytes.writeInt32BE(1, 0)
  bytes.writeInt32BE(1, 4)
  bytes.writeInt32BE(type, 8)
  bytes.writeInt32BE(length, 12)
  bytes.writeInt32BE(1, 16)
  return bytes
}
