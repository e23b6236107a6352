import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect } from 'vitest'
import type { Network } from '../../../fixtures/network/index.ts'
import type { Orders, Role } from './process.ts'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/**
 * Makes one file of the process, and one of the thread that writes for it: it then begins in a fraction of the time.
 *
 * @returns path of the script
 */
export async function bundle(folder: string): Promise<string> {
  await build({
    entryPoints: {
      process: source('./process.ts'),
      'writer-worker': source('../../../runtime/storage/sqlite/writer-worker.ts'),
    },
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['lexidex-source'],
    external: ['pg-native', 'cloudflare:sockets'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
    logLevel: 'error',
  })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return join(folder, 'process.js')
}

/** @param at path or URL of the database */
export function ordersFor(network: Network, at: string, role: Role, from = 0): Orders {
  const { jetstream, relay, plc, pds } = network
  return { at, role, from, network: { jetstream, relay, plc, pds } }
}

/** Starts a process; it has migrated the index when this resolves. */
export async function start(script: string, orders: Orders): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script, JSON.stringify(orders)], { stdio: ['pipe', 'pipe', 'inherit'] })
  await Promise.race([
    once(child.stdout!, 'data'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`The ${orders.role} ended by itself: ${code}`)
    }),
  ])
  return child
}

/** Kill -9. */
export async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'close')
  expect(child.kill('SIGKILL'), 'it was still there').toBe(true)
  await gone
  expect(child.signalCode).toBe('SIGKILL')
}
