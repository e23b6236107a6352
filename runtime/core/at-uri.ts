import { LexidexError } from './errors.ts'

const DID = /^did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]$/
const NSID =
  /^[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+\.[a-zA-Z][a-zA-Z0-9]{0,62}$/
const RKEY = /^[a-zA-Z0-9._:~-]{1,512}$/
const HANDLE = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/

/** @see https://atproto.com/specs/did */
export function isDid(value: string): boolean {
  return value.length <= 2048 && DID.test(value)
}

/** @throws LexidexError where one of the texts, which somebody wrote, is no DID */
export function expectDids(texts: readonly string[]): void {
  const wrong = texts.find((text) => !isDid(text))
  if (wrong === undefined) return
  throw new LexidexError(`Not a DID: ${wrong}`, { hint: 'Accounts are named by DID, such as did:plc:… or did:web:….' })
}

/** @see https://atproto.com/specs/nsid */
export function isNsid(value: string): boolean {
  return value.length <= 317 && NSID.test(value)
}

/** @see https://atproto.com/specs/record-key */
export function isRecordKey(value: string): boolean {
  return value !== '.' && value !== '..' && RKEY.test(value)
}

/** @see https://atproto.com/specs/handle */
export function isHandle(value: string): boolean {
  return value.length <= 253 && HANDLE.test(value)
}

export interface AtUri {
  /** A DID or a handle. */
  readonly authority: string
  readonly collection: string
  readonly rkey: string
}

export function makeAtUri(did: string, collection: string, rkey: string): string {
  return `at://${did}/${collection}/${rkey}`
}

/**
 * Parts of the URI of a record; null where `uri` is not one.
 *
 * @see https://atproto.com/specs/at-uri-scheme
 */
export function parseAtUri(uri: string): AtUri | null {
  if (!uri.startsWith('at://')) return null
  const [authority, collection, rkey, ...rest] = uri.slice(5).split('/')
  if (!authority || !collection || !rkey || rest.length > 0) return null
  if (!isDid(authority) && !isHandle(authority)) return null
  if (!isNsid(collection) || !isRecordKey(rkey)) return null
  return { authority, collection, rkey }
}
