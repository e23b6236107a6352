import { beforeEach, expect, test } from 'vitest'
import { LivenessWatch } from '../../../runtime/operations/live/liveness.ts'
import type { JetstreamStats } from '../../../runtime/sources/jetstream.ts'
import { manualClock } from '../support.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

let clock: ReturnType<typeof manualClock>
let source: JetstreamStats
let applier: { queued: number; lastAppliedAt: number | null }
let watch: LivenessWatch
const log: string[] = []

beforeEach(() => {
  clock = manualClock(Date.UTC(2026, 0, 1))
  source = {
    host: null,
    connectedAt: null,
    connections: 0,
    compressed: false,
    frames: 0,
    malformed: 0,
    lastFrameUs: null,
    lastFrameAt: null,
    lastHeartbeatAt: null,
    perSecond: null,
    quietMs: 0,
    lagMs: null,
  }
  applier = { queued: 0, lastAppliedAt: null }
  log.length = 0
  const line = (level: string) => (text: string) => log.push(`${level} ${text}`)
  watch = new LivenessWatch(() => ({ source, applier }) as never, {
    clock,
    logger: { log: line('log'), warn: line('warn'), error: line('error') },
  })
})

function connect(lagMs = 0): void {
  const now = clock.now()
  source = { ...source, host: 'host.example', connectedAt: now, lastHeartbeatAt: now, lagMs }
}

/** A frame that was `ageMs` old when it arrived. */
function frame(ageMs = 0): void {
  const now = clock.now()
  source = {
    ...source,
    lastFrameUs: (now - ageMs) * 1000,
    lastFrameAt: now,
    lastHeartbeatAt: now,
    lagMs: ageMs,
  }
}

function pong(): void {
  source = { ...source, lastHeartbeatAt: clock.now() }
}

/** Time passes, while the host answers pings. */
function pass(ms: number): string {
  for (let passed = 0; passed < ms; passed += SECOND) {
    clock.advance(SECOND)
    pong()
    watch.tick()
  }
  return watch.view().state
}

test('a stream is live while what arrives is fresh', () => {
  expect(watch.view()).toMatchObject({ state: 'disconnected', connected: false, host: null })
  connect()
  frame(200)
  expect(watch.view()).toEqual({
    state: 'live',
    connected: true,
    host: 'host.example',
    lastEventAt: clock.now() - 200,
    lastFrameUs: (clock.now() - 200) * 1000,
    lastHeartbeatAt: clock.now(),
    lagMs: 200,
  })
})

test('it catches up while what arrives is old', () => {
  connect(3 * 60 * MINUTE)
  expect(watch.view().state).toBe('catching-up')
  frame(2 * 60 * MINUTE)
  expect(watch.view()).toMatchObject({ state: 'catching-up', lagMs: 2 * 60 * MINUTE })
  frame(MINUTE)
  expect(watch.view().state).toBe('live')
})

test('silence of a host that answers is quiet, for as long as it lasts', () => {
  connect()
  frame()
  expect(pass(59 * SECOND)).toBe('live')
  expect(pass(SECOND)).toBe('quiet')
  expect(pass(10 * 60 * MINUTE)).toBe('quiet')
  frame()
  expect(watch.view().state).toBe('live')
})

test('a network without any event is quiet, not stuck', () => {
  connect()
  expect(pass(60 * MINUTE)).toBe('quiet')
})

test('a host that neither sends nor answers is stuck', () => {
  connect()
  frame()
  clock.advance(MINUTE)
  expect(watch.view()).toMatchObject({ state: 'stuck', reason: 'no sign of host.example for 60 s' })
  pong()
  expect(watch.view().state).toBe('quiet')
})

test('a busy host that falls silent is stuck after five minutes, although it answers', () => {
  connect()
  frame()
  source = { ...source, perSecond: 40 }
  expect(pass(4 * MINUTE)).toBe('quiet')
  expect(pass(MINUTE)).toBe('stuck')
  expect(watch.view().reason).toBe('host.example used to send 40 frames a second, and none for 300 s')
})

test('a database that takes nothing is stuck, however much arrives', () => {
  connect()
  for (let i = 0; i < 60; i++) {
    frame()
    applier = { queued: 500, lastAppliedAt: 1 }
    pass(SECOND)
  }
  expect(watch.view().state).toBe('live')
  pass(SECOND)
  expect(watch.view()).toMatchObject({ state: 'stuck', reason: 'the database has taken nothing for 60 s' })
  applier = { queued: 500, lastAppliedAt: 2 }
  pass(SECOND)
  expect(watch.view().state).toBe('live')
})

test('what waits after a long silence is not stuck', () => {
  connect()
  applier = { queued: 0, lastAppliedAt: clock.now() }
  pass(60 * MINUTE)
  frame()
  applier = { ...applier, queued: 1 }
  expect(watch.view().state).toBe('live')
})

test('the log is told once of every change', () => {
  watch.tick()
  connect(2 * MINUTE)
  frame(2 * MINUTE)
  watch.tick()
  watch.tick()
  frame()
  watch.tick()
  pass(3 * MINUTE)
  source = { ...source, host: null, connectedAt: null }
  watch.tick()
  watch.tick()
  expect(log).toEqual([
    'log jetstream: catching-up: 120 s behind, at host.example',
    'log jetstream: live: following host.example',
    'log jetstream: quiet: nothing from host.example for 60 s; it answers',
    'warn jetstream: disconnected: trying to connect',
  ])
})
