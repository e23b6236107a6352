import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

const root = path.resolve(import.meta.dirname, '../..')

/** The fixture app that runs on Workers. */
export const APP = path.join(root, 'fixtures/apps/worker')

/** Environment in which Wrangler asks and tells nobody anything, and takes lexidex from its source. */
export const QUIET = {
  CI: '1',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_BUILD_CONDITIONS: 'lexidex-source,workerd,worker,browser',
  NO_COLOR: '1',
}

/** Runs Wrangler in the fixture app. Resolves with what it prints; rejects where it fails. */
export async function wrangler(...args: readonly string[]): Promise<string> {
  const bin = path.join(root, 'node_modules/wrangler/bin/wrangler.js')
  const env = { ...process.env, ...QUIET }
  const { stdout } = await promisify(execFile)(process.execPath, [bin, ...args], { cwd: APP, env, timeout: 120_000 })
  return stdout
}
