/** A hot standby of a server that the tests have started, from the same binaries. */
import { chmod, chown, cp, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import { type PostgresServer, prepareServer } from './server.ts'

/** Belongs to the server that runs, or is what a standby gets from it by itself. */
const LEFT_OUT = /^(postmaster\.(pid|opts)|pg_wal\/.+|pg_replslot\/.+|pg_stat_tmp\/.+)$/

/** Follows `primary` from now on. Takes some seconds. */
export async function startReplica(primary: PostgresServer): Promise<PostgresServer> {
  const { hostname, port, password } = new URL(primary.url)
  const { server, data, url, said } = await prepareServer(password)
  await copyCluster(primary, data)
  const conninfo = `host=${hostname} port=${port} user=postgres password=${password}`
  await writeFile(path.join(data, 'postgresql.auto.conf'), `primary_conninfo = '${conninfo}'\n`)
  await writeFile(path.join(data, 'standby.signal'), '')
  await giveTo(data, await stat(primary.data))
  let ended = false
  // It waits for words that a standby does not say.
  server.start().catch(() => {
    ended = true
  })
  while (!(await isStandby(url))) {
    if (ended) throw new Error(`The replica does not start:\n${said.join('')}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return { url, data, stop: () => server.stop() }
}

/** The files of a cluster as a base backup has them, while it is written to. */
async function copyCluster(primary: PostgresServer, to: string): Promise<void> {
  const client = new pg.Client(primary.url)
  await client.connect()
  try {
    await client.query(`SELECT pg_backup_start('replica', true)`)
    await cp(primary.data, to, {
      recursive: true,
      filter: (file) => !LEFT_OUT.test(path.relative(primary.data, file).replaceAll(path.sep, '/')),
    })
    const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(false)')
    await writeFile(path.join(to, 'backup_label'), rows[0].labelfile)
    for (const folder of ['pg_wal/archive_status', 'pg_wal/summaries', 'pg_stat_tmp', 'pg_replslot']) {
      await mkdir(path.join(to, folder), { recursive: true })
    }
  } finally {
    await client.end()
  }
}

/** To the user that servers run as, and nobody else: Postgres insists on it. */
async function giveTo(folder: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  const files = await readdir(folder, { recursive: true })
  await Promise.all(['', ...files].map((file) => chown(path.join(folder, file), uid, gid)))
  await chmod(folder, 0o700)
}

async function isStandby(url: string): Promise<boolean> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query('SELECT pg_is_in_recovery() AS standby')).rows[0].standby
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
