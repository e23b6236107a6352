import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { calendarFrames } from '../calendar.ts'

/**
 * Writes a log of so many frames, one a line.
 *
 * @returns time of the last frame: the cursor of whoever has read it all
 */
export async function writeLog(file: string, frames: number): Promise<string> {
  const out = createWriteStream(file)
  let last = 0
  for (const frame of calendarFrames(frames)) {
    last = frame.time_us
    if (!out.write(`${JSON.stringify(frame)}\n`)) await once(out, 'drain')
  }
  out.end()
  await finished(out)
  return String(last)
}
