import { encode } from '@atproto/lex-cbor'
import { type JsonValue, jsonToLex } from '@atproto/lex-json'
import { CID } from 'multiformats/cid'
import * as digest from 'multiformats/hashes/digest'
import { platform } from '#platform'
import { messageOf } from '../core/errors.ts'

const DAG_CBOR = 0x71
const SHA_256 = 0x12

/**
 * Why a record given as JSON is not the one that `cid` stands for; null where it is. Integers beyond 2^53 do not survive
 * JSON in JavaScript, so a record with one of those never is.
 */
export function cidProblem(record: unknown, cid: string): string | null {
  let own: string
  try {
    own = cidOf(record)
  } catch (error) {
    return `Record has no CID: ${messageOf(error)}`
  }
  return own === cid ? null : `Record has the CID ${own}, not ${cid}`
}

function cidOf(record: unknown): string {
  const bytes = encode(jsonToLex(record as JsonValue))
  return CID.createV1(DAG_CBOR, digest.create(SHA_256, platform.sha256(bytes))).toString()
}
