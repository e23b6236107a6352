/** The recipes of the README in a real browser, on an index with data. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ServedCalendar, serveCalendar } from './calendar.ts'
import { describeInChromium, launchChromium } from './chromium.ts'
import { bundleForBrowser, type OpenPage, openPage } from './page.ts'
import { svelte } from './svelte.ts'

const RECIPES = {
  react: './fixtures/recipes/react/main.tsx',
  svelte: './fixtures/recipes/svelte/main.ts',
}

describeInChromium('the recipes in Chromium', () => {
  let calendar: ServedCalendar
  let browser: Browser
  const scripts: Record<string, string> = {}

  beforeAll(async () => {
    calendar = await serveCalendar()
    browser = await launchChromium()
    for (const [name, entry] of Object.entries(RECIPES)) {
      scripts[name] = await bundleForBrowser({
        stdin: { contents: `import { start } from '${entry}'; globalThis.start = start`, resolveDir: '.' },
        jsx: 'automatic',
        plugins: [svelte],
        conditions: ['lexidex-source', 'svelte'],
      })
    }
  })
  afterAll(async () => {
    await browser?.close()
    await calendar?.close()
  })

  /** Opens a recipe, started with the index and what else it takes. */
  async function open(recipe: string, ...more: string[]): Promise<OpenPage> {
    const started = `;globalThis.start(document.body, ...${JSON.stringify([calendar.url, ...more])})`
    return openPage(browser, scripts[recipe] + started)
  }

  describe.each(Object.keys(RECIPES))('%s', (recipe) => {
    test('shows a page of records with what is embedded, then the next', async () => {
      const opened = await open(recipe)
      const { page, errors } = opened
      const items = page.locator('li')
      await items.nth(19).waitFor()
      expect(await items.count()).toBe(20)
      const [first] = await calendar.indexer.db
        .selectFrom('event')
        .select(['uri', 'record', 'rsvps_going_count'])
        .orderBy('rsvps_going_count', 'desc')
        .limit(1)
        .execute()
      expect(await items.first().textContent()).toContain(JSON.parse(String(first!.record)).name)
      const guests = (await items.first().locator('small').textContent())!.trim().split(', ')
      expect(guests).toHaveLength(Math.min(3, first!.rsvps_going_count))
      // Most accounts have a profile.
      expect(await page.locator('small').allTextContents()).toContainEqual(expect.not.stringContaining('did:'))

      await page.getByRole('button', { name: 'More' }).click()
      await items.nth(39).waitFor()
      expect(await items.count()).toBe(40)
      expect(errors).toEqual([])
      await opened.close()
    })

    test('gives up the request for what is not looked for any more', async () => {
      const opened = await open(recipe)
      const { page } = opened
      await page.locator('li').first().waitFor()
      const aborted = page.waitForEvent('requestfailed', (request) => request.url().includes('search=slow'))
      await page.route('**/*search=slow*', () => {})
      const search = page.getByRole('searchbox', { name: 'Search' })
      await search.fill('slow')
      await search.fill('notawordofanyevent')
      expect((await aborted).failure()?.errorText).toBe('net::ERR_ABORTED')
      await expect.poll(() => page.locator('li').count()).toBe(0)
      await search.fill('')
      await page.locator('li').nth(19).waitFor()
      await opened.close()
    })

    test('says what went wrong', async () => {
      const opened = await open(recipe)
      await opened.page.getByRole('searchbox', { name: 'Search' }).fill('"')
      await expect.poll(() => opened.page.getByRole('alert').textContent()).toMatch(/search/i)
      await opened.close()
    })
  })

  test('react shows one record', async () => {
    const [event] = await calendar.indexer.db
      .selectFrom('event')
      .select(['uri', 'rsvps_count'])
      .orderBy('rsvps_going_count', 'desc')
      .limit(1)
      .execute()
    const opened = await open('react', event!.uri)
    await opened.page.locator('h1').waitFor()
    expect(await opened.page.textContent('article')).toContain(`${event!.rsvps_count} answers`)
    expect(await opened.page.textContent('article')).toContain('community.lexicon.calendar.rsvp#going')
    await opened.close()
  })
})
