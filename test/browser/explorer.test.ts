/** The explorer in a real browser, used as people use it. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { describeInChromium, launchChromium } from './chromium.ts'
import { type Explored, explore, HOSTILE, mountBelow, type Opened, open, settled, titles, unfold } from './explorer.ts'

describeInChromium('the explorer in Chromium', () => {
  let index: Explored
  let browser: Browser
  let opened: Opened | undefined

  beforeAll(async () => {
    index = await explore()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await index?.close()
  })
  afterEach(async () => {
    await opened?.close()
    opened = undefined
  })

  async function at(
    hash: string,
    ...rest: Parameters<typeof open> extends [any, any, ...infer R] ? R : never
  ): Promise<Page> {
    opened = await open(browser, `${index.url}/${hash}`, ...rest)
    return opened.page
  }

  /** What the index answers, asked without the page. */
  async function ask(query: string): Promise<any> {
    return (await fetch(`${index.url}/xrpc/com.example.${query}`)).json()
  }

  const bound = (page: Page, field: string, which: string) =>
    page.getByRole('group', { name: field, exact: true }).getByLabel(which)
  const code = (page: Page) => page.locator('.code-panel code').innerText()

  test('shows what is in the index, and leads there', async () => {
    const page = await at('')
    const { collections } = await (await fetch(`${index.url}/status`)).json()
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
    expect(opened!.faults).toEqual([])
  })

  test('lists what a form asks for, and writes the same as code while it is filled in', async () => {
    const page = await at('#/event.listRecords')
    await page.getByRole('searchbox', { name: 'search' }).fill(`community OR bread's`)
    const mode = page.getByRole('group', { name: 'mode', exact: true })
    await mode.getByLabel('virtual').check()
    await mode.getByLabel('inperson').check()
    await bound(page, 'rsvpsGoingCount', 'at least').fill('1')
    const startsAt = page.getByRole('group', { name: 'startsAt', exact: true })
    await startsAt.getByLabel('from').fill('2026-01-15T18:00')
    await page.getByLabel('hydrateRsvps', { exact: true }).fill('2')
    await page.getByLabel('sort').selectOption('rsvpsCount')
    const query = new URLSearchParams([
      ['mode', 'community.lexicon.calendar.event#inperson'],
      ['mode', 'community.lexicon.calendar.event#virtual'],
      // 18:00 in Berlin, where the reader is.
      ['startsAtMin', '2026-01-15T17:00:00Z'],
      ['rsvpsGoingCountMin', '1'],
      ['search', `community OR bread's`],
      ['sort', 'rsvpsCount'],
      ['hydrateRsvps', '2'],
    ])
    const [, url] = /^curl '([^']+)'$/.exec(await code(page))!
    expect([...new URL(url!).searchParams].sort()).toEqual([...query].sort())

    await page.getByRole('button', { name: 'TypeScript' }).click()
    const typescript = await code(page)
    for (const line of [
      `const api = createClient('${index.url}')`,
      'const { records, cursor } = await api.event.listRecords({',
      `  mode: ['community.lexicon.calendar.event#inperson', 'community.lexicon.calendar.event#virtual'],`,
      `  startsAtMin: '2026-01-15T17:00:00Z',`,
      '  rsvpsGoingCountMin: 1,',
      String.raw`  search: 'community OR bread\'s',`,
      '  hydrateRsvps: 2,',
    ]) {
      expect(typescript.split('\n')).toContain(line)
    }

    await page.getByRole('button', { name: 'List' }).click()
    await settled(page)
    const { records } = await (await fetch(url!)).json()
    expect(records.length).toBeGreaterThan(1)
    expect(await titles(page)).toEqual(records.map(({ value }: any) => value.name))
    expect(new URL(page.url()).hash).toContain('rsvpsGoingCountMin=1')
    const first = page.locator('.card').first()
    const [event] = records
    await expect.poll(() => first.locator('.counts').innerText()).toContain(`${event.rsvpsGoingCount}`)
    expect(await first.locator('.embedded').first().locator('li').count()).toBe(event.rsvps.going.length)
    expect(await page.locator('[role=status]').last().innerText()).toContain(`${records.length} record`)
  })

  test('copies code, JSON and URIs', async () => {
    const page = await at('#/event.listRecords?limit=2', { permissions: ['clipboard-read', 'clipboard-write'] })
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText())
    await page.getByRole('button', { name: 'Copy code' }).click()
    await expect.poll(clipboard).toBe(`curl '${index.url}/xrpc/com.example.event.listRecords?limit=2'`)
    const { records } = await ask('event.listRecords?limit=2')
    await page.getByRole('button', { name: 'Copy URI' }).first().click()
    await expect.poll(clipboard).toBe(records[0].uri)
    await page.getByRole('button', { name: 'JSON', exact: true }).click()
    await page.getByRole('button', { name: 'Copy JSON' }).click()
    await expect.poll(async () => JSON.parse(await clipboard())).toMatchObject({ records })
  })

  test('turns pages, back and forth, and after a reload', async () => {
    const page = await at('#/event.listRecords?limit=25')
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
    const page = await at(`#/event.listRecords/json?${query}`)
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

    await page.goto(`${index.url}/#/event.getRecord?uri=${encodeURIComponent(uri)}`)
    await settled(page)
    expect(await titles(page)).toEqual([name])
    await page.goto(`${index.url}/#/nonsense`)
    await expect.poll(() => page.locator('h1').innerText()).toBe('Nothing here')
  })

  test('a cursor without the way to it leads to the first page', async () => {
    const { cursor } = await ask('event.listRecords?limit=5')
    const page = await at(`#/event.listRecords?limit=5&cursor=${encodeURIComponent(cursor)}`)
    await page.getByRole('button', { name: 'First page' }).click()
    await expect.poll(() => page.locator('.pager').innerText()).toContain('Page 1')
  })

  test('an answer of 400 says what is wrong, where it is, and what there is', async () => {
    const page = await at('#/event.listRecords?rsvpsCountMin=-1')
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

    await page.goto(`${index.url}/#/event.listRecords?search=${encodeURIComponent('"open')}`)
    await expect.poll(() => page.getByRole('searchbox').getAttribute('aria-invalid')).toBe('true')
  })

  test('an empty answer says so, and offers a way out', async () => {
    const page = await at('#/event.listRecords?search=zzzz')
    expect(await page.locator('.notice.empty').innerText()).toContain('Nothing matches')
    await page.getByRole('button', { name: 'Clear all fields' }).click()
    await settled(page)
    expect((await titles(page)).length).toBeGreaterThan(10)
  })

  test('needs no pointer', async () => {
    const page = await at('#/event.listRecords')
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
      `#/event.getRecord?uri=${encodeURIComponent(index.hostile)}`,
      `#/event.getRecord/json?uri=${encodeURIComponent(index.hostile)}`,
      `#/event.listRecords?search=${encodeURIComponent(HOSTILE)}`,
      `#/event.listRecords?mode=${encodeURIComponent(HOSTILE)}&actor=${encodeURIComponent(HOSTILE)}`,
      `#/${encodeURIComponent(HOSTILE)}`,
      '#/quarantine',
    ]
    const page = await at('')
    for (const place of places) {
      await page.goto(`${index.url}/${place}`)
      await settled(page)
      await unfold(page)
      expect(
        await page.locator('img, script:not(body > script), iframe, a[href^="javascript:" i]').count(),
        place,
      ).toBe(0)
      expect(await page.title(), place).not.toBe('pwned')
    }
    await page.goto(`${index.url}/${places[1]}`)
    await expect.poll(() => titles(page)).toEqual([HOSTILE.slice(0, 140)])
    expect(opened!.faults).toEqual([])
  })

  test('has a control for every kind of parameter, whatever the method', async () => {
    const text = { type: 'string' }
    const lexicon = {
      lexicon: 1,
      id: 'com.example.event.search',
      defs: {
        main: {
          type: 'query',
          parameters: {
            type: 'params',
            required: ['topic'],
            properties: {
              topic: { ...text, knownValues: ['bread', 'birds'], description: 'What it is `about`.' },
              tags: { type: 'array', items: text },
              tagsNot: { type: 'array', items: text },
              titlePrefix: text,
              open: { type: 'boolean' },
              placeExists: { type: 'boolean' },
              seats: { type: 'integer', minimum: 1, maximum: 9 },
              level: { ...text, enum: ['low', 'high'] },
            },
          },
        },
      },
    }
    opened = await open(browser, 'about:blank', {}, false)
    const { page } = opened
    await page.route('**/xrpc/com.example.lexicons', (route) => route.fulfill({ json: { lexicons: [lexicon] } }))
    await page.goto(`${index.url}/#/event.search?tags=a&tags=b&placeExists=true&unknown=x`)
    await settled(page)
    await page.getByText('Fill in the form, then send it.').waitFor()
    await page.getByLabel('topic').fill('bread & butter')
    await page.getByLabel('tags, value 3').fill('c')
    await page.getByLabel('tags, value 4').fill('d')
    await page.getByText('More for tags').click()
    await page.getByLabel('is not, value 1').fill('e')
    await page.getByLabel('titlePrefix').or(page.getByLabel('starts with')).fill('Th')
    await page.getByLabel('open').selectOption('false')
    await page.getByLabel('seats').fill('3')
    await page.getByLabel('level').selectOption('high')
    const [, url] = /^curl '([^']+)'$/.exec(await code(page))!
    expect([...new URL(url!).searchParams]).toEqual([
      ['topic', 'bread & butter'],
      ...['a', 'b', 'c', 'd'].map((tag) => ['tags', tag]),
      ['tagsNot', 'e'],
      ['titlePrefix', 'Th'],
      ['open', 'false'],
      ['placeExists', 'true'],
      ['seats', '3'],
      ['level', 'high'],
    ])
    await page.getByRole('button', { name: 'Get' }).click()
    await page.getByText('There is no such method.').waitFor()
    expect(opened.faults).toEqual([])
  })

  test('sends procedures only when told to', async () => {
    const served = await explore({ notify: true })
    try {
      const schema = {
        type: 'object',
        properties: { uris: { type: 'array', items: { type: 'string', format: 'at-uri' } } },
      }
      const main = { type: 'procedure', input: { encoding: 'application/json', schema } }
      const lexicon = { lexicon: 1, id: 'com.example.notifyOfUpdate', defs: { main } }
      opened = await open(browser, 'about:blank', {}, false)
      const { page } = opened
      await page.route('**/xrpc/com.example.lexicons', (route) => route.fulfill({ json: { lexicons: [lexicon] } }))
      const [record] = served.network.records('community.lexicon.calendar.event')
      await page.goto(`${served.url}/#/notifyOfUpdate?uris=${encodeURIComponent(record!.uri)}`)
      await settled(page)
      expect(await page.locator('.json-view').count()).toBe(0)
      expect(await code(page)).toContain(`-d '{"uris":["${record!.uri}"]}'`)
      await page.getByRole('button', { name: 'Send' }).click()
      await settled(page)
      await expect.poll(() => page.locator('.json-view').innerText()).toMatch(/indexed: 1\s*deleted: 0/)
    } finally {
      await served.close()
    }
  })

  test('works below any path', async () => {
    for (const path of ['/some/index', '/x']) {
      const mounted = await mountBelow(path, index)
      try {
        for (const url of [mounted.url, `${mounted.url}/`]) {
          opened = await open(browser, `${url}#/event.listRecords?limit=1`)
          expect(await titles(opened.page)).toHaveLength(1)
          expect(await code(opened.page)).toBe(`curl '${mounted.url}/xrpc/com.example.event.listRecords?limit=1'`)
          await opened.close()
        }
      } finally {
        mounted.close()
      }
    }
  })

  test('asks for the status only while somebody looks', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    try {
      let asked = 0
      page.on('request', (request) => {
        if (request.url().endsWith('/status')) asked++
      })
      await page.clock.install()
      await page.goto(index.url)
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
      const page = await at('#/quarantine')
      const card = page.locator('.card')
      expect(await card.count()).toBe(1)
      expect(await card.innerText()).toContain('name')
      expect(await card.innerText()).toContain(index.refused)
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
        opened = await open(browser, `${guarded.url}/#/quarantine`)
        const { page } = opened
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
