/** The package as its users get it: packed, installed into an empty project, generating, type-checking and serving there. */
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startNetwork } from '../../fixtures/network/index.ts'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../..')
let project: string

/** Runs a command in the project; fails with all that it printed. */
async function inProject(command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(command, args, { cwd: project, env: { ...process.env, NO_COLOR: '1' } })
    return stdout + stderr
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`, { cause: error })
  }
}

const CONFIG = (network: { jetstream: string; relay: string; plc: string }) => `
import { defineConfig } from 'lexidex'

export default defineConfig({
  namespace: 'com.example',
  jetstreams: ['${network.jetstream}'],
  relays: ['${network.relay}'],
  plc: '${network.plc}',
  allowHosts: ['127.0.0.1'],
  collections: {
    event: {
      collection: 'community.lexicon.calendar.event',
      queryable: { mode: {}, startsAt: { type: 'range' } },
      searchable: ['name', 'description'],
      relations: { rsvps: { collection: 'rsvp', groupBy: 'status' } },
    },
    rsvp: {
      collection: 'community.lexicon.calendar.rsvp',
      references: { event: { collection: 'event', field: 'subject.uri' } },
    },
  },
})
`

const USE = `
import { createSqliteStore } from 'lexidex/sqlite'
import { serve } from 'lexidex/node'
import { createClient } from './lexidex/client.js'
import { createIndexer } from './lexidex/index.js'

export async function main(): Promise<string | undefined> {
  const indexer = createIndexer(createSqliteStore(':memory:'))
  await indexer.migrate()
  const server = await serve(indexer, { port: 0 })
  const page = await createClient(server.url).event.listRecords({ hydrateRsvps: 2 })
  // The declarations of the package lead somewhere: nothing here is \`any\`.
  // @ts-expect-error
  page.records[0]?.noSuchProperty
  // @ts-expect-error
  indexer.noSuchMethod()
  // @ts-expect-error
  indexer.db.selectFrom('noSuchTable')
  // @ts-expect-error
  await indexer.ingest({ noSuchOption: true })
  return page.records[0]?.rsvps.going?.[0]?.value.status
}
`

let network: Awaited<ReturnType<typeof startNetwork>>

beforeAll(async () => {
  network = await startNetwork({ accounts: 8, events: 10, rsvps: 40 })
  project = await mkdtemp(path.join(tmpdir(), 'lexidex-package-'))
  await run('npm', ['pack', '--pack-destination', project], { cwd: root })
  const tarball = (await readdir(project)).find((file) => file.endsWith('.tgz'))!
  await writeFile(path.join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  await inProject('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', `./${tarball}`)
  await writeFile(path.join(project, 'lexidex.config.ts'), CONFIG(network))
}, 300_000)

afterAll(async () => {
  await network?.close()
  if (project !== undefined) await rm(project, { recursive: true, force: true })
})

describe('the installed package', () => {
  test('generates, and is then up to date', async () => {
    await inProject('npx', '--no-install', 'lexidex', 'generate')
    await inProject('npx', '--no-install', 'lexidex', 'check')
    expect(await readFile(path.join(project, 'src/lexidex/client.ts'), 'utf8')).toContain('createClient')
  })

  test.each(['nodenext', 'bundler'])('type-checks under --strict with moduleResolution %s', async (resolution) => {
    await writeFile(path.join(project, 'src/use.ts'), USE)
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
    const module = resolution === 'nodenext' ? 'nodenext' : 'esnext'
    const options = ['--noEmit', '--strict', '--verbatimModuleSyntax', '--exactOptionalPropertyTypes', '--skipLibCheck']
    const modules = ['--target', 'es2023', '--module', module, '--moduleResolution', resolution, '--types', '']
    const files = ['src/use.ts', 'src/lexidex/index.ts', 'src/lexidex/config.d.ts', 'lexidex.config.ts']
    await inProject(process.execPath, tsc, ...options, ...modules, ...files)
  })

  test('backfills and serves', async () => {
    const child = spawn(path.join(project, 'node_modules/.bin/lexidex'), ['start', '--port', '0', '--explorer'], {
      cwd: project,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const url = await new Promise<string>((resolve, reject) => {
        createInterface(child.stdout).on('line', (line) => {
          const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line)
          if (found !== null) resolve(found[0])
        })
        child.once('exit', (code) => reject(new Error(`lexidex start ended with ${code}`)))
      })
      const count = async () => {
        const response = await fetch(`${url}/xrpc/com.example.event.listRecords?limit=100&hydrateRsvps=1`)
        return (await response.json()).records.length
      }
      const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text()
      expect(page).toMatch(/<style>.+<\/style>[\s\S]*<script>.+<\/script>/s)
      await expect.poll(count, { timeout: 30_000 }).toBe(network.records('community.lexicon.calendar.event').length)
    } finally {
      child.kill('SIGINT')
    }
    const code = await new Promise((resolve) => child.once('exit', resolve))
    expect(code).toBe(0)
  })
})
