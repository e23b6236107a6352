/** Tests that look at the explorer of one index in Chromium. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { describeInChromium, launchChromium } from './chromium.ts'
import { type Explored, explore, settled } from './explorer.ts'

export interface Session {
  readonly index: Explored
  readonly browser: Browser
  /** What went wrong in the page that was opened last: errors of scripts, and what the policy refused. */
  readonly faults: readonly string[]
  /**
   * Opens a place in a page of its own, which is closed after the test, or when another is opened.
   *
   * @param place hash of a place in the index, or a whole URL
   * @param wait whether to wait until the explorer shows something; default true
   */
  at(place: string, options?: BrowserContextOptions, wait?: boolean): Promise<Page>
}

/** `describe` of tests that share an index and a browser. */
export function describeExplorer(name: string, tests: (session: Session) => void): void {
  describeInChromium(name, () => {
    let index: Explored
    let browser: Browser
    let opened: Opened | undefined

    async function close(): Promise<void> {
      await opened?.close()
      opened = undefined
    }

    beforeAll(async () => {
      index = await explore()
      browser = await launchChromium()
    })
    afterAll(async () => {
      await browser?.close()
      await index?.close()
    })
    afterEach(close)

    tests({
      get index() {
        return index
      },
      get browser() {
        return browser
      },
      get faults() {
        return opened!.faults
      },
      async at(place, options, wait) {
        await close()
        const url = /^[a-z]+:/.test(place) ? place : `${index.url}/${place}`
        opened = await open(browser, url, options, wait)
        return opened.page
      },
    })
  })
}

/** A page of its own, and all that went wrong in it. */
interface Opened {
  readonly page: Page
  /** Errors of scripts, and what the policy refused. */
  readonly faults: string[]
  close(): Promise<void>
}

/** @param wait Whether to wait until the explorer shows something; default true */
async function open(browser: Browser, url: string, options: BrowserContextOptions = {}, wait = true): Promise<Opened> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    // An answer of 400 is what some tests ask for.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text())
  })
  await page.goto(url)
  if (wait) await settled(page)
  return { page, faults, close: () => context.close() }
}
