import { existsSync } from 'node:fs'
import path from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { describe } from 'vitest'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Nothing of these is needed for a page of ours; some of it calls home. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  // Containers have little of it.
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The browser of this machine: `CHROMIUM_PATH`, else the first one on the PATH or where macOS keeps it. */
export function findChromium(): string | undefined {
  const { CHROMIUM_PATH, PATH = '' } = process.env
  if (CHROMIUM_PATH) return CHROMIUM_PATH
  const directories = ['/usr/bin', ...PATH.split(path.delimiter)]
  const candidates = [
    ...NAMES.flatMap((name) => directories.map((directory) => path.join(directory, name))),
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ]
  return candidates.find((file) => existsSync(file))
}

/** Starts a headless Chromium. Close it after the tests. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined || !existsSync(executablePath)) {
    throw new Error(
      `There is no Chromium${executablePath ? ` at ${executablePath}` : ''}. Install it (Debian: apt-get install chromium), or name it by CHROMIUM_PATH.`,
    )
  }
  return chromium.launch({ executablePath, args: ARGS })
}

/**
 * `describe` of tests that need Chromium. On a machine that has none they are skipped, and say so; in CI they must run,
 * and fail.
 */
export function describeInChromium(name: string, tests: () => void): void {
  const skipped = findChromium() === undefined && !process.env.CI
  describe.skipIf(skipped)(skipped ? `${name} (no Chromium here; CHROMIUM_PATH names one)` : name, tests)
}
