import { hash } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import type { Platform } from '../../core/platform.ts'
import { verify } from './keys.ts'
import { readSocket } from './socket.ts'
import { createTransport } from './transport.ts'
import { createZstdDecoder } from './zstd.ts'

/** Node, Deno and Bun. */
export const platform: Platform = {
  createTransport,
  createTxtLookup() {
    const resolver = new Resolver({ timeout: 3000, tries: 2 })
    return (name) => resolver.resolveTxt(name)
  },
  readSocket,
  createZstdDecoder,
  textOf: (bytes) => asBuffer(bytes).toString(),
  latin1: (bytes, from, to) => asBuffer(bytes).toString('latin1', from, to),
  // By way of text, which takes half as long as a buffer from there.
  sha256: (bytes) => Buffer.from(hash('sha256', bytes, 'binary'), 'binary'),
  includes: (bytes, pattern) => asBuffer(bytes).includes(asBuffer(pattern)),
  verify,
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
