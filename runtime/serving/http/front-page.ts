import type { Page } from '../../core/page.ts'
import type { Route, RouteAnswer, RouteRequest } from '../../core/route.ts'
import { hasTag } from './tags.ts'

/** What is at `/`: what there is as JSON, and for browsers a page, where there is one. */
export function frontPage(overview: object, page: Page | undefined): Route {
  // The same URL gives the one or the other.
  const json = { status: 200, body: overview, ...(page === undefined ? {} : { headers: { vary: 'accept' } }) }
  return {
    method: 'GET',
    path: '/',
    answer: async (request) => (page !== undefined && wantsPage(request) ? answerPage(page, request) : json),
  }
}

/** Whether a request asks for HTML by name, as browsers do. What takes anything, such as curl, is a program. */
function wantsPage({ headers }: RouteRequest): boolean {
  const ranges = (headers.get('accept') ?? '').toLowerCase().split(',')
  return ranges.some((range) => /^\s*text\/html\s*(;|$)/.test(range) && !/;\s*q=0(\.0*)?\s*(;|$)/.test(range))
}

/** The page, or 304 where the browser has it already. */
async function answerPage(page: Page, { headers: asked }: RouteRequest): Promise<RouteAnswer> {
  const { headers, body } = await page.load()
  const known = asked.get('if-none-match')
  return known && headers.etag !== undefined && hasTag(known, headers.etag)
    ? { status: 304, headers, content: '' }
    : { status: 200, headers, content: body }
}
