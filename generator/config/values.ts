import type { AnyNsid } from './collection.ts'

/** What keys of the config hold, besides collections. */

/** A collection with the profiles of accounts. */
export interface ProfileConfig {
  /** NSID of the record type. */
  readonly collection: AnyNsid
  /** Default: the last segment of the NSID. */
  readonly shortName?: string
  /** Record key of the profile. Default: `self`. */
  readonly rkey?: string
}

/** A database that an index can be kept in. */
export type Database = 'sqlite' | 'postgres' | 'd1'

/** Where the index writes its messages. The console fits. */
export interface ConfigLogger {
  log(...args: unknown[]): void
  warn(...args: unknown[]): void
  error(...args: unknown[]): void
}

/** What users are asked for at once: all methods of the namespace, and writing its records. */
export interface PermissionSetConfig {
  /** What users read as its name. Default: the namespace. */
  readonly title?: string
  /** What users read about it. */
  readonly description?: string
  /** More of the namespace's own records and methods. */
  readonly additional?: readonly PermissionConfig[]
}

/** A permission as lexicons state it. Servers grant nothing in a set that is not below its namespace. */
export type PermissionConfig =
  | {
      readonly type?: 'permission'
      readonly resource: 'repo'
      /** NSIDs of record types. */
      readonly collection: readonly string[]
      /** Default: all three. */
      readonly action?: readonly ('create' | 'update' | 'delete')[]
    }
  | {
      readonly type?: 'permission'
      readonly resource: 'rpc'
      /** NSIDs of methods. */
      readonly lxm: readonly string[]
      /** The service that the client names: `include:{set}?aud=…`. */
      readonly inheritAud?: boolean
      /** Any service. */
      readonly aud?: '*'
    }

/** Who may call `notifyOfUpdate`: nobody, where neither is there. */
export interface NotifyConfig {
  /** Whoever sends it as `Authorization: Bearer <secret>`, for any record. */
  readonly secret?: string | undefined
  /** DID of this service. Tokens of atproto's service auth that are made out to it let authors name their own records. */
  readonly serviceDid?: string | undefined
}
