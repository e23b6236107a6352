/** The explorer as the package has it, in workerd, where there are no files to read it from. */
import path from 'node:path'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { expect, test } from 'vitest'
import { explorer } from '../../runtime/explorer/index.ts'
import { explorerModule } from '../scripts/explorer-module.ts'

const WORKER = `
import { explorer } from './runtime/explorer/index.ts'

export default {
  async fetch() {
    const { headers, body } = await explorer.load()
    return new Response(body, { headers })
  },
}`

test('a Worker serves the same page', async () => {
  const root = path.resolve(import.meta.dirname, '../..')
  const { outputFiles, metafile } = await build({
    stdin: { contents: WORKER, resolveDir: root, loader: 'ts' },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    plugins: [
      {
        name: 'as in the package',
        setup({ onLoad }) {
          onLoad({ filter: /runtime\/explorer\/assets\.ts$/ }, async () => ({ contents: await explorerModule() }))
        },
      },
    ],
  })
  expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([])
  const miniflare = new Miniflare({
    modules: true,
    script: outputFiles[0]!.text,
    compatibilityDate: '2026-07-01',
  })
  try {
    const response = await fetch(await miniflare.ready)
    const { headers, body } = await explorer.load()
    expect(await response.text()).toBe(body)
    for (const [name, value] of Object.entries(headers)) expect(response.headers.get(name)).toBe(value)
  } finally {
    await miniflare.dispose()
  }
})
