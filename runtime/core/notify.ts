/** What became of the URIs of one notification. */
export interface NotifyResult {
  /** Records that are indexed as they are at their PDS, those that were so before among them. */
  readonly indexed: number
  /** Records that do not exist (any more) at their PDS, and not in the index either. */
  readonly deleted: number
  /** Present where something went wrong: each URI with the reason. */
  readonly errors?: readonly NotifyError[]
}

export interface NotifyError {
  readonly uri: string
  readonly message: string
}

/**
 * Who may call `{ns}.notifyOfUpdate`:
 *
 * - `false`, `undefined`: nobody, there is no such method
 * - `true`: everybody
 * - a string: who sends it as `Authorization: Bearer <secret>`
 * - `secret` and `serviceDid`: who sends the secret, or a token of atproto's service auth for that DID, in which the
 *   author of the records speaks for themself; nobody, where both are undefined
 */
export type NotifyAccess =
  | boolean
  | string
  | { readonly secret?: string | undefined; readonly serviceDid?: string | undefined }
  | undefined
