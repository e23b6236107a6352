/**
 * What the runtime needs of the machine that it runs on. Node and Workers each have a folder of `runtime/platform`;
 * `#platform` is the one or the other, as the conditions of the package's `imports` have it.
 */
export interface Platform {
  createTransport(options?: TransportOptions): Transport
  /** TXT records of a name, each in its parts. Rejects with `code: 'ENOTFOUND'` or `'ENODATA'` where there are none. */
  createTxtLookup(): (name: string) => Promise<readonly (readonly string[])[]>
  readSocket(url: string, options: SocketOptions): AsyncGenerator<SocketChunk, void>
  /**
   * A decoder of frames that were compressed with a dictionary.
   *
   * @param dictionary as the host's software has it; it begins with the magic number of zstd's dictionaries
   * @returns a sentence instead, where it is of no use here
   */
  createZstdDecoder(dictionary: Uint8Array): FrameDecoder | string
  /** Text of UTF-8. */
  textOf(bytes: Uint8Array): string
  /** One character per byte, of a part of `bytes`. */
  latin1(bytes: Uint8Array, from: number, to: number): string
  sha256(bytes: Uint8Array): Uint8Array
  /** Whether `pattern` is somewhere in `bytes`. */
  includes(bytes: Uint8Array, pattern: Uint8Array): boolean
  /** Whether a signature over SHA-256 is by a key. False for what is no key. */
  verify(key: PublicKey, signed: Uint8Array, signature: Uint8Array): boolean
}

export interface TransportOptions {
  /** How names become addresses, where the platform lets us see them. Default: the system's way. */
  readonly lookup?: typeof import('node:dns').lookup | undefined
}

/** Carries requests. What may be asked of whom is decided before. */
export interface Transport {
  /** A GET that follows no redirect. Rejects with whatever the network has to say, or `FetchError` where it is refused. */
  get(url: URL, options: TransportRequest): Promise<TransportAnswer>
  /** Closes idle connections. */
  close(): void
}

export interface TransportRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Refuses to connect to an address that is not on the public internet, where the platform lets us see it. */
  readonly isPublicOnly: boolean
}

export interface TransportAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: AsyncIterable<Uint8Array>
  /** Lets the connection go without reading the body. */
  discard(): void
}

export interface SocketOptions {
  readonly signal: AbortSignal
  /** ms between pings. */
  readonly pingIntervalMs: number
  /** ms after which a host that leaves a ping unanswered has gone. Default: until the next ping is due. */
  readonly pongTimeoutMs?: number | undefined
}

export interface SocketChunk {
  /** What has arrived since the chunk before, in order; empty in the first chunk and where only a pong came. */
  readonly messages: readonly Frame[]
  /**
   * When the newest ping was sent that the host has answered, or when the socket opened: ms on the monotonic
   * clock. All that the host had sent by then is in this chunk or before it.
   */
  readonly confirmedAt: number
}

/** A message of a WebSocket; in bytes where its text is not wanted yet. */
export type Frame = string | Uint8Array

/** Why a frame came to nothing. */
export type Undecodable =
  /** It grows beyond all measure; the next one may be read. */
  | 'too-large'
  /** It was made with another dictionary, or is damaged: what follows cannot be trusted either. */
  | 'unreadable'

export interface FrameDecoder {
  /** The frame as text, compressed or not. */
  decode(frame: Uint8Array): Uint8Array | Undecodable
}

/** A point on one of atproto's curves. */
export interface PublicKey {
  readonly curve: 'P-256' | 'secp256k1'
  /** Compressed or not. */
  readonly point: Uint8Array
}
