import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { BackfillProgress } from '../../../runtime/operations/backfill/backfill.ts'
import { createProgress } from '../../../runtime/operations/backfill/progress.ts'

/** A stream that keeps what is written to it, as a terminal or not. */
function streamOf(isTTY: boolean) {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  Object.assign(stream, { isTTY, columns: 120, rows: 24, getWindowSize: () => [120, 24] })
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text }
}

const progress = (accountsDone: number): BackfillProgress => ({
  accountsDone,
  accountsTotal: 200,
  records: accountsDone * 10,
  failures: 3,
  perSecond: 50,
  etaMs: 65_000,
})

describe('createProgress', () => {
  test('writes few lines where there is no terminal, and the last one always', () => {
    const { stream, text } = streamOf(false)
    const display = createProgress(stream)
    display.discovering({ relay: 'https://relay.example', collection: 'com.example.a', listed: 1000 })
    for (let i = 1; i <= 100; i++) display.backfilling(progress(i))
    display.stop()
    expect(text().trimEnd().split('\n')).toEqual([
      'discover: com.example.a: 1000 accounts at relay.example',
      'backfill: 100 of 200 accounts, 1000 records, 50 a second, 3 failed, 1 min 5 s left',
    ])
  })

  test('says nothing where nothing happened', () => {
    const { stream, text } = streamOf(false)
    createProgress(stream).stop()
    expect(text()).toBe('')
  })

  test('draws a bar on a terminal', () => {
    const { stream, text } = streamOf(true)
    const display = createProgress(stream)
    display.discovering({ relay: 'https://relay.example', collection: 'com.example.a', listed: 1000 })
    display.backfilling(progress(50))
    display.stop()
    expect(text()).toContain('50/200 accounts, 500 records, 50 a second, 3 failed')
    expect(text()).toContain('com.example.a: 1000 accounts at relay.example')
  })
})
