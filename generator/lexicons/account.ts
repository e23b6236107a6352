import type { LexiconDoc } from '@atproto/lexicon'
import { createXrpcClient, XrpcClientError } from '../../runtime/client/index.ts'
import { isDid } from '../../runtime/core/at-uri.ts'
import { LexidexError, messageOf } from '../../runtime/core/errors.ts'
import { createAllowList } from '../../runtime/identity/allow-list.ts'
import { createResolver } from '../../runtime/identity/resolver.ts'
import { recordOf, SCHEMA } from './documents.ts'

/** The account that lexicons are published by. */
export interface Account {
  readonly did: string
  /** As its DID document has it. */
  readonly handle: string | null
  /** URL of its PDS. */
  readonly pds: string
}

/** A record that publishes a lexicon. */
export interface LexiconRecord {
  readonly cid: string
  readonly value: object
}

/** An account that has logged in. */
export interface Session {
  /**
   * Writes the record of a document.
   *
   * @param before CID of the version that it replaces; null where there is none
   * @throws LexidexError where the PDS refuses, as where there is another version by now
   */
  put(doc: LexiconDoc, before: string | null): Promise<void>
}

export interface AccountOptions {
  readonly plc: string
  readonly allowHosts: readonly string[]
}

/** @throws LexidexError where the identifier leads to no account, or its PDS cannot be talked to in secret */
export async function findAccount(identifier: string, { plc, allowHosts }: AccountOptions): Promise<Account> {
  const resolver = createResolver({ plc, allowHosts })
  try {
    const did = isDid(identifier) ? identifier : await resolver.resolveHandle(identifier.replace(/^@/, ''))
    if (did === null) throw new LexidexError(`The handle ${identifier} leads to no account.`, { hint: 'Give the DID.' })
    const { handle, pds } = await resolver.resolve(did)
    if (!pds.startsWith('https:') && !createAllowList(allowHosts).has(new URL(pds))) {
      throw new LexidexError(`${pds}, the PDS of ${did}, is not on https.`, {
        hint: 'If the host is your own, name it in `allowHosts` of the config.',
      })
    }
    return { did, handle, pds }
  } catch (cause) {
    if (cause instanceof LexidexError && cause.hint !== undefined) throw cause
    throw new LexidexError(messageOf(cause), { hint: 'Check LEXICON_ACCOUNT_IDENTIFIER: a handle or a DID.', cause })
  } finally {
    resolver.close()
  }
}

/** What the account publishes now, by NSID. Needs no password. */
export async function publishedBy({ did, pds }: Account): Promise<Map<string, LexiconRecord>> {
  const published = new Map<string, LexiconRecord>()
  const records = createXrpcClient(pds).iterate<LexiconRecord & { uri: string }>('com.atproto.repo.listRecords', {
    repo: did,
    collection: SCHEMA,
    limit: 100,
  })
  try {
    for await (const { uri, cid, value } of records) published.set(uri.slice(uri.lastIndexOf('/') + 1), { cid, value })
  } catch (cause) {
    throw refusal(`Cannot list the lexicons of ${did}`, cause)
  }
  return published
}

/** @throws LexidexError where the PDS does not take identifier and password */
export async function logIn({ did, pds }: Account, password: string): Promise<Session> {
  let token: string
  try {
    const created = await createXrpcClient(pds).procedure<{ accessJwt: string }>('com.atproto.server.createSession', {
      identifier: did,
      password,
    })
    token = created.accessJwt
  } catch (cause) {
    throw refusal(`Cannot log in as ${did}`, cause)
  }
  const xrpc = createXrpcClient(pds, { headers: { authorization: `Bearer ${token}` } })
  return {
    async put(doc, before) {
      try {
        await xrpc.procedure('com.atproto.repo.putRecord', {
          repo: did,
          collection: SCHEMA,
          rkey: doc.id,
          record: recordOf(doc),
          swapRecord: before,
        })
      } catch (cause) {
        throw refusal(`Cannot publish ${doc.id}`, cause)
      }
    },
  }
}

const HINTS: Readonly<Record<string, string>> = {
  AuthenticationRequired: 'Check LEXICON_ACCOUNT_IDENTIFIER and LEXICON_ACCOUNT_PASSWORD.',
  AuthFactorTokenRequired: 'The account asks for a code by mail: make an app password, and use that.',
  AccountTakedown: 'The host has taken the account down; ask it.',
  InvalidSwap: 'It was changed meanwhile; run this again.',
  RateLimitExceeded: 'The host asks for a pause; run this again later, it goes on where it stopped.',
}

function refusal(what: string, cause: unknown): LexidexError {
  const name = cause instanceof XrpcClientError ? cause.error : ''
  return new LexidexError(`${what}: ${messageOf(cause)}`, { hint: HINTS[name] ?? 'Try again later.', cause })
}
