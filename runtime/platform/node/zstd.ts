import * as zlib from 'node:zlib'
import { messageOf } from '../../core/errors.ts'
import type { FrameDecoder } from '../../core/platform.ts'

/** Longest frame as text, in bytes: what decompresses to more is refused. */
const MAX_TEXT = 32 * 1024 * 1024
const FRAME_MAGIC = 0xfd2fb528
const DICTIONARY_MAGIC = 0xec30a437

/**
 * A decoder of frames that were compressed with a dictionary.
 *
 * @param bytes a dictionary as the host's software has it; it begins with the magic number of zstd's dictionaries
 * @returns a sentence instead, where it is of no use: older releases of Node have no zstd, or none with dictionaries
 */
export function createZstdDecoder(bytes: Uint8Array): FrameDecoder | string {
  const dictionary = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const problem = problemOf(dictionary)
  if (problem !== null) return problem
  return {
    decode(bytes) {
      const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      if (frame.length < 4 || frame.readUInt32LE() !== FRAME_MAGIC) return frame
      try {
        return zlib.zstdDecompressSync(frame, { dictionary, maxOutputLength: MAX_TEXT })
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'unreadable'
      }
    },
  }
}

/** Only a trial tells: a Node that does not know the option leaves it out of account. */
function problemOf(dictionary: Buffer): string | null {
  if (typeof zlib.zstdCompressSync !== 'function') return `Node ${process.versions.node} has no zstd`
  if (dictionary.length < 8 || dictionary.readUInt32LE() !== DICTIONARY_MAGIC) return 'it is no dictionary of zstd'
  const options = { dictionary }
  const probe = Buffer.from('{"kind":"commit"}')
  try {
    const compressed = zlib.zstdCompressSync(probe, options)
    if (isReadable(compressed, probe, {})) return `zstd of Node ${process.versions.node} takes no dictionary`
    return isReadable(compressed, probe, options) ? null : 'what is compressed with it cannot be read'
  } catch (error) {
    return `zstd refuses it: ${messageOf(error)}`
  }
}

function isReadable(compressed: Buffer, probe: Buffer, options: zlib.ZstdOptions): boolean {
  try {
    return zlib.zstdDecompressSync(compressed, options).equals(probe)
  } catch {
    // That it fails without its dictionary is what is asked.
    return false
  }
}
