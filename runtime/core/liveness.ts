/**
 * How a live stream is:
 *
 * - `live`: what arrives is less than a minute old.
 * - `catching-up`: what arrives is older.
 * - `quiet`: nothing has arrived for a minute, but the host answers. There may just be nothing to say.
 * - `stuck`: connected, but nothing gets through: the host does not answer, or the database has not taken anything for
 *   a minute although something waits, or a host that sent more than one frame a second has been silent for 5 min.
 * - `disconnected`: no host is connected; it goes on trying.
 */
export type LiveState = 'live' | 'catching-up' | 'quiet' | 'stuck' | 'disconnected'

/** What the process that serves does besides. It knows; the database does not. */
export interface RuntimeState {
  readonly state: LiveState
  /** What it is stuck on. */
  readonly reason?: string
  /** Whether a live source is connected. */
  readonly connected: boolean
  /** Where to. */
  readonly host: string | null
  /** ms since 1970: the own time of what a live source last delivered; null before that. */
  readonly lastEventAt: number | null
  /** The same, in µs. */
  readonly lastFrameUs: number | null
  /** ms since 1970: when a host last showed that it is there, by a frame or by its answer to a ping. */
  readonly lastHeartbeatAt: number | null
  /** How old what arrived last was as it arrived, in ms: how far behind the stream is. */
  readonly lagMs: number | null
}
