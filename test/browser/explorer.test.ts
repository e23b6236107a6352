/** The explorer in a real browser, used as people use it. */
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { explore, HOSTILE, mountBelow, settled, titles, unfold } from './explorer.ts'
import { describeExplorer } from './explorer-session.ts'

describeExplorer('the explorer in Chromium', (session) => {
  /** What the index answers, asked without the page. */
  async function ask(query: string): Promise<any> {
    return (await fetch(`${session.index.url}/xrpc/com.example.${query}`)).json()
  }

  const bound = (page: Page, field: string, which: string) =>
    page.getByRole('group', { name: field, exact: true }).getByLabel(which)
  const code = (page: Page) => page.locator('.code-panel code').innerText()

  test('shows what is in the index, and leads there', async () => {
    const page = await session.at('')
    const { collections } = await (await fetch(`${session.index.url}/status`)).json()
    for (const { name, records } of collections) {
      const tile = page.locator('.tile', { has: page.getByRole('link', { name, exact: true }) })
      await expect.poll(() => tile.locator('.figure').innerText()).toBe(`${records} records`)
      await expect.poll(() => tile.innerText()).toMatch(/newest .* ago/)
    }
    await page.locator('.tile').getByRole('link', { name: 'event', exact: true }).click()
    await settled(page)
    expect(await page.title()).toBe('event.listRecords · com.example')
    const { records } = await ask('event.listRecords')
    expect(await titles(page)).toEqual(records.map(({ value }: any) => value.name))
    expect(session.faults).toEqual([])
  })

  test('turns pages, back and forth, and after a reload', async () => {
    const page = await session.at('#/event.listRecords?limit=25')
    const first = await titles(page)
    const next = page.getByRole('button', { name: 'Next' })
    const back = page.getByRole('button', { name: 'Back' })
    expect(await back.isDisabled()).toBe(true)
    const seen = [...first]
    while (await next.isEnabled()) {
      const before = page.url()
      await next.click()
      await expect.poll(() => page.url()).not.toBe(before)
      await settled(page)
      seen.push(...(await titles(page)))
    }
    const { records } = await ask('event.listRecords?limit=200')
    expect(seen).toEqual(records.map(({ value }: any) => value.name))

    await page.reload()
    await settled(page)
    expect(await page.locator('.pager').innerText()).toContain('Page 3')
    for (const number of [2, 1]) {
      await back.click()
      await expect.poll(() => page.locator('.pager').innerText()).toContain(`Page ${number}`)
      await settled(page)
    }
    expect(await titles(page)).toEqual(first)
    await page.goBack()
    await settled(page)
    await expect.poll(() => page.locator('.pager').innerText()).toContain('Page 2')
  })

  test('a link leads to the same, form and all', async () => {
    const { records } = await ask('event.listRecords?limit=1')
    const [uri, name] = [records[0].uri, records[0].value.name]
    const query = `mode=${encodeURIComponent('community.lexicon.calendar.event#virtual')}&mode=other&startsAtMin=2026-01-01T00:00:00.123Z`
    const page = await session.at(`#/event.listRecords/json?${query}`)
    const mode = page.getByRole('group', { name: 'mode', exact: true })
    expect(await mode.getByLabel('virtual').isChecked()).toBe(true)
    expect(await mode.getByLabel('other', { exact: true }).isChecked()).toBe(true)
    expect(await page.getByRole('group', { name: 'startsAt', exact: true }).getByLabel('from').inputValue()).toBe(
      '2026-01-01T01:00',
    )
    // What the form cannot show is not lost by it.
    await page.getByLabel('limit').fill('3')
    expect(await code(page)).toContain('startsAtMin=2026-01-01T00%3A00%3A00.123Z')
    expect(await page.locator('.json-view').count()).toBe(1)

    await page.goto(`${session.index.url}/#/event.getRecord?uri=${encodeURIComponent(uri)}`)
    await settled(page)
    expect(await titles(page)).toEqual([name])
    await page.goto(`${session.index.url}/#/nonsense`)
    await expect.poll(() => page.locator('h1').innerText()).toBe('Nothing here')
  })

  test('a cursor without the way to it leads to the first page', async () => {
    const { cursor } = await ask('event.listRecords?limit=5')
    const page = await session.at(`#/event.listRecords?limit=5&cursor=${encodeURIComponent(cursor)}`)
    await page.getByRole('button', { name: 'First page' }).click()
    await expect.poll(() => page.locator('.pager').innerText()).toContain('Page 1')
  })

  test('an answer of 400 says what is wrong, where it is, and what there is', async () => {
    const page = await session.at('#/event.listRecords?rsvpsCountMin=-1')
    expect(await page.getByRole('alert').innerText()).toMatch(
      /InvalidRequest\s*HTTP 400[\s\S]*rsvpsCountMin[\s\S]*Valid parameters:/,
    )
    const field = bound(page, 'rsvpsCount', 'at least')
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    await field.fill('0')
    await page.getByRole('button', { name: 'List' }).click()
    await settled(page)
    expect(await page.getByRole('alert').count()).toBe(0)
    expect(await field.getAttribute('aria-invalid')).toBeNull()

    await page.goto(`${session.index.url}/#/event.listRecords?search=${encodeURIComponent('"open')}`)
    await expect.poll(() => page.getByRole('searchbox').getAttribute('aria-invalid')).toBe('true')
  })

  test('an empty answer says so, and offers a way out', async () => {
    const page = await session.at('#/event.listRecords?search=zzzz')
    expect(await page.locator('.notice.empty').innerText()).toContain('Nothing matches')
    await page.getByRole('button', { name: 'Clear all fields' }).click()
    await settled(page)
    expect((await titles(page)).length).toBeGreaterThan(10)
  })

  test('needs no pointer', async () => {
    const page = await session.at('#/event.listRecords')
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content')
    await page.keyboard.press('Enter')
    expect(new URL(page.url()).hash).toBe('#/event.listRecords')
    await page.keyboard.press('Tab')
    await page.keyboard.type('bread')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.url()).toContain('search=bread')
    await settled(page)
    const found = await titles(page)
    expect(found.length).toBeGreaterThan(0)
    // The focus stays in the form, and every stop is visible.
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('search')
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab')
      const shown = await page.evaluate(() => {
        const element = document.activeElement!
        const box = element.getBoundingClientRect()
        const { outlineStyle } = getComputedStyle(
          element.matches('.choice input') ? element.nextElementSibling! : element,
        )
        return {
          visible: box.width > 0 && box.height > 0,
          outlined: outlineStyle !== 'none',
          is: element.outerHTML.slice(0, 80),
        }
      })
      expect(shown).toEqual({ visible: true, outlined: true, is: shown.is })
    }
    await page.getByRole('link', { name: found[0]!, exact: true }).first().press('Enter')
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('event.getRecord')
  })

  test('what records hold is text, wherever it is shown', async () => {
    const places = [
      '#/event.listRecords?limit=200',
      `#/event.getRecord?uri=${encodeURIComponent(session.index.hostile)}`,
      `#/event.getRecord/json?uri=${encodeURIComponent(session.index.hostile)}`,
      `#/event.listRecords?search=${encodeURIComponent(HOSTILE)}`,
      `#/event.listRecords?mode=${encodeURIComponent(HOSTILE)}&actor=${encodeURIComponent(HOSTILE)}`,
      `#/${encodeURIComponent(HOSTILE)}`,
      '#/quarantine',
    ]
    const page = await session.at('')
    for (const place of places) {
      await page.goto(`${session.index.url}/${place}`)
      await settled(page)
      await unfold(page)
      expect(
        await page.locator('img, script:not(body > script), iframe, a[href^="javascript:" i]').count(),
        place,
      ).toBe(0)
      expect(await page.title(), place).not.toBe('pwned')
    }
    await page.goto(`${session.index.url}/${places[1]}`)
    await expect.poll(() => titles(page)).toEqual([HOSTILE.slice(0, 140)])
    expect(session.faults).toEqual([])
  })

  test('works below any path', async () => {
    for (const path of ['/some/index', '/x']) {
      const mounted = await mountBelow(path, session.index)
      try {
        for (const url of [mounted.url, `${mounted.url}/`]) {
          const page = await session.at(`${url}#/event.listRecords?limit=1`)
          expect(await titles(page)).toHaveLength(1)
          const code = await page.locator('.code-panel code').innerText()
          expect(code).toBe(`curl '${mounted.url}/xrpc/com.example.event.listRecords?limit=1'`)
        }
      } finally {
        mounted.close()
      }
    }
  })

  test('asks for the status only while somebody looks', async () => {
    const context = await session.browser.newContext()
    const page = await context.newPage()
    try {
      let asked = 0
      page.on('request', (request) => {
        if (request.url().endsWith('/status')) asked++
      })
      await page.clock.install()
      await page.goto(session.index.url)
      await settled(page)
      const atFirst = asked
      await page.clock.runFor(6000)
      await expect.poll(() => asked).toBe(atFirst + 1)
      const hide = (hidden: boolean) =>
        page.evaluate((hidden) => {
          Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
          document.dispatchEvent(new Event('visibilitychange'))
        }, hidden)
      await hide(true)
      await page.clock.runFor(60_000)
      expect(asked).toBe(atFirst + 1)
      await hide(false)
      await expect.poll(() => asked).toBe(atFirst + 2)
    } finally {
      await context.close()
    }
  })

  describe('quarantine', () => {
    test('lists what was refused, with reasons, and tries it again', async () => {
      const page = await session.at('#/quarantine')
      const card = page.locator('.card')
      expect(await card.count()).toBe(1)
      expect(await card.innerText()).toContain('name')
      expect(await card.innerText()).toContain(session.index.refused)
      await card.getByText('JSON', { exact: true }).click()
      await expect.poll(() => card.innerText()).toContain(HOSTILE.slice(0, 10))
      await card.getByRole('button', { name: 'Try again' }).click()
      await page.getByText('Tried 1 record again: 0 indexed, 1 still refused.').first().waitFor()
      await page.getByLabel('Collection').selectOption('rsvp')
      await page.getByText('Nothing is quarantined').waitFor()
      expect(new URL(page.url()).hash).toBe('#/quarantine?collection=rsvp')
    })

    test('asks for the secret where there is one', async () => {
      const guarded = await explore({ development: false, adminSecret: 'open-sesame' })
      try {
        const page = await session.at(`${guarded.url}/#/quarantine`)
        const field = page.getByLabel('Admin secret')
        await field.fill('wrong')
        await page.getByRole('button', { name: 'Open' }).click()
        await page.getByText('That is not the admin secret.').waitFor()
        await field.fill('open-sesame')
        await page.keyboard.press('Enter')
        await page.getByText(guarded.refused).first().waitFor()
        expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).not.toContain('sesame')
      } finally {
        await guarded.close()
      }
    })
  })
})
