import { duration } from './format.ts'
import type { Status } from './status.ts'

export interface StreamState {
  readonly text: string
  readonly detail: string
  readonly tone: 'good' | 'busy' | 'bad' | 'off'
}

/** How the stream is, in words. */
export function streamState({ live }: Pick<Status, 'live'>): StreamState {
  if (live === undefined) return { text: 'Not followed', detail: 'this process only serves', tone: 'off' }
  const lag = live.lagMs === null ? '' : `${duration(Math.max(0, live.lagMs))} behind`
  switch (live.state) {
    case 'live':
      return { text: 'Live', detail: '', tone: 'good' }
    case 'catching-up':
      return { text: 'Catching up', detail: lag, tone: 'busy' }
    case 'quiet':
      return { text: 'Quiet', detail: 'nothing has arrived for a minute; the host answers', tone: 'good' }
    case 'stuck':
      return { text: 'Stuck', detail: live.reason ?? 'nothing gets through', tone: 'bad' }
    default:
      return {
        text: live.host === null ? 'Not followed' : 'Disconnected',
        detail: live.reason ?? '',
        tone: live.host === null ? 'off' : 'bad',
      }
  }
}
