import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { SqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { collections } from '../storage/app.ts'
import { rowsOf } from '../storage/harness.ts'
import { openSqlite } from '../storage/sqlite-harness.ts'
import { streamItem } from './stream.ts'
import { freshIndex } from './support.ts'

const script = fileURLToPath(new URL('./crash-process.ts', import.meta.url))
const LENGTH = 600
const index = freshIndex()

/** Runs the follower, to its end or until it has said `killAt` lines. */
async function follow(path: string, killAt = Number.POSITIVE_INFINITY): Promise<string> {
  const fate = Number.isFinite(killAt) ? 'to be killed' : 'to finish'
  const child = spawn(process.execPath, ['-C', 'lexidex-source', script, path, String(LENGTH), fate], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
    if (output.split('\n').length > killAt) child.kill('SIGKILL')
  })
  await once(child, 'close')
  return output
}

async function contents(store: SqliteStore) {
  const rows = await Promise.all(['meetup', 'rsvp', 'lexidex_tombstone'].map((table) => rowsOf(store, table)))
  return rows.map((list) => list.map(({ id: _, indexed_at: _i, sort_at: _s, deleted_at: _d, ...rest }) => rest))
}

test('kill -9 at any moment loses nothing: the next process goes on from what is durable', async () => {
  const { path } = index.database
  for (const killAt of [1, 3, 6]) expect(await follow(path, killAt)).not.toContain('done')
  expect(await follow(path)).toContain('done')

  const reference = await openSqlite()
  try {
    const store = await reference.connect()
    store.migrate(reference.migrations)
    const applier = index.applier({ store })
    store.use(collections)
    for (let n = 1; n <= LENGTH; n++) await applier.push(streamItem(n))
    await applier.close()
    expect(await index.cursor()).toBe(String(LENGTH))
    expect(await contents(index.store)).toEqual(await contents(store))
  } finally {
    await reference.drop()
  }
})
