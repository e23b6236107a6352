import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BuildOptions, build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'

/** Bundles an entry point for browsers as its users do: lexidex is found through the package's exports. */
export async function bundleForBrowser(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    conditions: ['lexidex-source'],
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    logLevel: 'silent',
    ...options,
  })
  return outputFiles![0]!.text
}

export interface OpenPage {
  readonly page: Page
  /** What the page threw or logged as an error. */
  readonly errors: string[]
  close(): Promise<void>
}

/** Opens a page that runs `script`, on an origin of its own: what it fetches elsewhere is cross-origin. */
export async function openPage(browser: Browser, script: string, body = ''): Promise<OpenPage> {
  const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>${body}<script type="module" src="/script.js"></script>`
  const server = createServer((request, response) => {
    const isScript = request.url === '/script.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
    response.end(isScript ? script : html)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  return {
    page,
    errors,
    async close() {
      await page.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
