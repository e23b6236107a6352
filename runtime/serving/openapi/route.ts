import type { App } from '../../app.ts'
import type { Route } from '../../core/route.ts'
import { openApiDocument } from './document.ts'

export const OPENAPI = '/openapi.json'

/** Serves the document, which is made when it is first asked for. */
export function openApiRoute(app: Pick<App, 'namespace' | 'lexicons'>, paths: readonly string[]): Route {
  let content: string | null = null
  return {
    method: 'GET',
    path: OPENAPI,
    kept: true,
    async answer() {
      content ??= JSON.stringify(openApiDocument(app, paths))
      return { status: 200, content, reads: [] }
    },
  }
}
