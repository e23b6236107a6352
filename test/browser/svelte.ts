import { readFile } from 'node:fs/promises'
import { type Plugin, transform } from 'esbuild'
import { compile, compileModule } from 'svelte/compiler'

/** Compiles Svelte's files for browsers, as its users' bundler does. */
export const svelte: Plugin = {
  name: 'svelte',
  setup(build) {
    build.onResolve({ filter: /^\..*\.svelte\.js$/ }, async ({ path, ...options }) => {
      if (!/\.ts$|\.svelte$/.test(options.importer) || options.importer.includes('node_modules')) return undefined
      return build.resolve(path.replace(/\.js$/, '.ts'), options)
    })
    build.onLoad({ filter: /\.svelte$/ }, async ({ path: filename }) => {
      const { js } = compile(await readFile(filename, 'utf8'), { filename, generate: 'client' })
      return { contents: js.code, loader: 'js' }
    })
    build.onLoad({ filter: /\.svelte\.[jt]s$/ }, async ({ path: filename }) => {
      const { code } = await transform(await readFile(filename, 'utf8'), { loader: 'ts', target: 'es2022' })
      return { contents: compileModule(code, { filename, generate: 'client' }).js.code, loader: 'js' }
    })
  },
}
