import { SERVICE } from './api.ts'
import { h } from './dom.ts'
import type { IndexInfo } from './index-info.ts'

/** What programs ask of the index, besides its methods. */
const KNOWN: Readonly<Record<string, string>> = {
  '/': 'what is served, as JSON: without text/html in Accept',
  '/status': 'what this page shows',
  '/health': 'whether the process answers',
  '/openapi.json': 'the methods as OpenAPI, for generators and other explorers',
}

/** Addresses of the index, to copy. */
export function programs({ endpoints, namespace }: IndexInfo): HTMLElement {
  const paths = { ...KNOWN, [`/xrpc/${namespace}.lexicons`]: 'the lexicons of the methods' }
  const rows = Object.entries(paths).filter(([path]) => path === '/' || endpoints.includes(path))
  return h(
    'dl',
    { class: 'definitions addresses' },
    rows.map(([path, about]) => h('div', null, h('dt', null, h('code', null, SERVICE + path)), h('dd', null, about))),
  )
}
