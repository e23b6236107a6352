import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { PageParts } from './document.ts'

// As it is in the repository: the page is bundled when it is first asked for. The package has another file in this
// one's place, written by its build, which holds what `loadParts` returned, and needs neither files nor esbuild.

const page = (file: string) => new URL(`page/${file}`, import.meta.url)

/** The page, from its sources. */
export async function loadParts(): Promise<PageParts> {
  const [html, style, script] = await Promise.all([
    readFile(page('index.html'), 'utf8'),
    bundle('styles/index.css'),
    bundle('main.ts'),
  ])
  return { html, style, script }
}

async function bundle(file: string): Promise<string> {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(page(file))],
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    charset: 'utf8',
    legalComments: 'none',
    write: false,
  })
  return outputFiles[0]!.text.trimEnd()
}
