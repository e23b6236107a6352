/** The explorer as it is served: to whom, and under which policy. */
import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { LoadedPage } from '../../runtime/core/page.ts'
import { explorer } from '../../runtime/explorer/index.ts'
import { createRouter, type Router } from '../../runtime/index.ts'
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { library } from '../serving/support/library.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

let page: LoadedPage
let router: Router

beforeAll(async () => {
  page = await explorer.load()
  router = createRouter({ app: library, store: createSqliteStore(':memory:'), page: explorer })
})

const get = (url: string, headers: Record<string, string>, method = 'GET') =>
  router.handle({ method, url, headers: { get: (name) => headers[name] } })

describe('at /', () => {
  test('browsers get the page, under any query', async () => {
    for (const url of ['/', '/?utm=1']) {
      expect(await get(url, { accept: BROWSER })).toMatchObject({ status: 200, headers: page.headers, body: page.body })
    }
  })

  test.each([undefined, '*/*', 'application/json', 'text/html;q=0, application/json', 'text/htmlx'])(
    'programs that accept %s get JSON',
    async (accept) => {
      const answer = await get('/', accept === undefined ? {} : { accept })
      expect(answer.headers.vary).toBe('accept')
      expect(JSON.parse(String(answer.body))).toMatchObject({ status: 'ok', namespace: 'test.lib' })
    },
  )

  test('what the browser has is not sent again', async () => {
    const { etag = '' } = page.headers
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`]) {
      expect(await get('/', { accept: BROWSER, 'if-none-match': tag })).toMatchObject({ status: 304, body: '' })
    }
    expect(await get('/', { accept: BROWSER, 'if-none-match': '"other"' })).toMatchObject({ status: 200 })
  })

  test('nothing but reading is for browsers', async () => {
    expect(await get('/', { accept: BROWSER }, 'POST')).toMatchObject({ status: 405 })
    expect(await get('/health', { accept: BROWSER })).toMatchObject({
      headers: { 'content-type': 'application/json; charset=utf-8' },
    })
  })
})

test('the policy lets in the one script and the one style of the page, and its own server', () => {
  const directives = new Map(
    page.headers['content-security-policy']!.split('; ').map((directive) => {
      const [name, ...values] = directive.split(' ')
      return [name!, values.join(' ')]
    }),
  )
  const hashOf = (tag: string) => {
    const contents = [...page.body.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))]
    expect(contents).toHaveLength(1)
    return `'sha256-${createHash('sha256').update(contents[0]![1]!).digest('base64')}'`
  }
  expect(Object.fromEntries(directives)).toEqual({
    'default-src': "'none'",
    'script-src': hashOf('script'),
    'style-src': hashOf('style'),
    'connect-src': "'self'",
    'img-src': 'data:',
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
    'trusted-types': "'none'",
  })
})

test('the page needs nothing else of the network', () => {
  // Links within the page, the icon, and the name of a namespace are all that looks like an address.
  const addresses = page.body.match(/(?:https?:)?\/\/[\w.-]+\.\w+[^"'`\s)]*/g) ?? []
  expect(addresses.filter((address) => !address.includes('www.w3.org/2000/svg'))).toEqual([])
  expect(page.body).not.toMatch(/<(?:link|script|img|iframe)[^>]+(?:src|href)="(?!data:)/)
})
