/** How the explorer looks and reads: to axe, in the dark, on a phone, to those who want no motion. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { settled, unfold } from './explorer.ts'
import { describeExplorer } from './explorer-session.ts'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

declare global {
  var axe: { run(context: Document, options: RunOptions): Promise<AxeResults> }
}

/** What is wrong with the page as it is, one line each. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  )
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message ?? ''}`))
}

const PLACES = {
  overview: '',
  list: '#/event.listRecords?profiles=true&hydrateRsvps=3&limit=10',
  json: '#/event.listRecords/json?limit=3',
  record: '#/event.getRecord',
  empty: '#/event.listRecords?search=zzzz',
  error: '#/event.listRecords?rsvpsCountMin=-1',
  other: '#/getCursor',
  quarantine: '#/quarantine',
  nothing: '#/nonsense',
}

describeExplorer('how the explorer looks in Chromium', (session) => {
  describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
    test.each(Object.entries(PLACES))('%s passes axe', async (_name, hash) => {
      const page = await session.at(hash, { colorScheme, reducedMotion: 'reduce' })
      await unfold(page)
      expect(await violations(page)).toEqual([])
      expect(session.faults).toEqual([])
    })
  })

  test.each(Object.entries(PLACES))('%s fits a phone, and passes axe there', async (_name, hash) => {
    const page = await session.at(hash, {
      viewport: { width: 360, height: 740 },
      hasTouch: true,
      isMobile: true,
      reducedMotion: 'reduce',
    })
    await unfold(page)
    const { content, screen } = await page.evaluate(() => ({
      content: document.documentElement.scrollWidth,
      screen: document.documentElement.clientWidth,
    }))
    expect(content).toBeLessThanOrEqual(screen)
    expect(await violations(page)).toEqual([])
  })

  test('on a phone the form waits until it is opened', async () => {
    const page = await session.at('#/event.listRecords?limit=5', { viewport: { width: 360, height: 740 } })
    const search = page.getByRole('searchbox')
    expect(await search.isVisible()).toBe(false)
    await page.getByText('Parameters (1)').click()
    await search.fill('bread')
    await search.press('Enter')
    await page.getByText('Parameters (2)').waitFor()
    await settled(page)
    expect(await page.locator('.card').count()).toBeGreaterThan(0)

    await page.getByText('Parameters (2)').click()
    expect(await search.isVisible()).toBe(false)
    await page.setViewportSize({ width: 1200, height: 740 })
    await search.waitFor()
  })

  test('the theme follows the system until one is chosen, which stays', async () => {
    const page = await session.at('', { colorScheme: 'dark' })
    const brightness = () =>
      page.evaluate(() => {
        const [red = 0] = getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g)!.map(Number)
        return red > 127 ? 'light' : 'dark'
      })
    expect(await brightness()).toBe('dark')
    await page.emulateMedia({ colorScheme: 'light' })
    expect(await brightness()).toBe('light')
    const button = page.getByRole('button', { name: /Theme/ })
    for (const theme of ['light', 'dark']) {
      await button.click()
      expect(await button.getAttribute('aria-label')).toContain(theme)
      expect(await brightness()).toBe(theme)
    }
    await page.reload()
    await settled(page)
    expect(await brightness()).toBe('dark')
    await button.click()
    expect(await brightness()).toBe('light')
  })

  test('nothing moves for those who want no motion', async () => {
    for (const [reducedMotion, moving] of [
      ['reduce', false],
      ['no-preference', true],
    ] as const) {
      const page = await session.at('#/event.listRecords', { reducedMotion })
      const scrolls = await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior)
      expect(scrolls === 'smooth').toBe(moving)
    }
  })

  test('an index that is not there is said so, and asked again', async () => {
    const page = await session.at('')
    await page.route('**/xrpc/*.lexicons', (route) => route.abort())
    await page.reload()
    await page.getByRole('heading', { name: 'The index cannot be shown' }).waitFor()
    expect(await page.getByRole('alert').innerText()).toContain('The index does not answer.')
    expect(await violations(page)).toEqual([])
    await page.unroute('**/xrpc/*.lexicons')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  })
})
