/** Forms of the explorer, and the code that is written beside them. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { explore, settled, titles } from './explorer.ts'
import { describeExplorer } from './explorer-session.ts'

describeExplorer('forms of the explorer in Chromium', (session) => {
  /** What the index answers, asked without the page. */
  async function ask(query: string): Promise<any> {
    return (await fetch(`${session.index.url}/xrpc/com.example.${query}`)).json()
  }

  const bound = (page: Page, field: string, which: string) =>
    page.getByRole('group', { name: field, exact: true }).getByLabel(which)
  const code = (page: Page) => page.locator('.code-panel code').innerText()

  test('lists what a form asks for, and writes the same as code while it is filled in', async () => {
    const page = await session.at('#/event.listRecords')
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
      `const api = createClient('${session.index.url}')`,
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
    const page = await session.at('#/event.listRecords?limit=2', { permissions: ['clipboard-read', 'clipboard-write'] })
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText())
    await page.getByRole('button', { name: 'Copy code' }).click()
    await expect.poll(clipboard).toBe(`curl '${session.index.url}/xrpc/com.example.event.listRecords?limit=2'`)
    const { records } = await ask('event.listRecords?limit=2')
    await page.getByRole('button', { name: 'Copy URI' }).first().click()
    await expect.poll(clipboard).toBe(records[0].uri)
    await page.getByRole('button', { name: 'JSON', exact: true }).click()
    await page.getByRole('button', { name: 'Copy JSON' }).click()
    await expect.poll(async () => JSON.parse(await clipboard())).toMatchObject({ records })
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
    const page = await session.at('about:blank', {}, false)
    await page.route('**/xrpc/com.example.lexicons', (route) => route.fulfill({ json: { lexicons: [lexicon] } }))
    await page.goto(`${session.index.url}/#/event.search?tags=a&tags=b&placeExists=true&unknown=x`)
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
    expect(session.faults).toEqual([])
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
      const page = await session.at('about:blank', {}, false)
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
})
