import type { LoadedPage } from '../core/page.ts'

/** What the page is put together from. */
export interface PageParts {
  /** With `<!-- style -->` and `<!-- script -->` where those belong. */
  readonly html: string
  readonly style: string
  /** A classic script. */
  readonly script: string
}

/** One document with everything in it, so that it works under any path, and the headers that let in nothing else. */
export async function assemble({ html, style, script }: PageParts): Promise<LoadedPage> {
  const body = html
    .replace('<!-- style -->', () => `<style>${style}</style>`)
    .replace('<!-- script -->', () => `<script>${script}</script>`)
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${await sha256(script)}'`,
    `style-src 'sha256-${await sha256(style)}'`,
    "connect-src 'self'",
    // The icon.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // No text can become markup by mistake: the browser refuses every such assignment.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cache-control': 'no-cache',
    etag: `"${await sha256(body)}"`,
    'referrer-policy': 'no-referrer',
    vary: 'accept',
    'x-content-type-options': 'nosniff',
  }
  return { headers, body }
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
}
