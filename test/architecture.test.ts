/** The structure of the house: who may import whom, and where each kind of thing lives. */
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '..')

interface Source {
  /** Relative to the repository, with `/`. */
  readonly path: string
  readonly text: string
  /** What it imports: paths relative to the repository for our own files, else the specifier. */
  readonly imports: readonly string[]
}

const sources = ['generator', 'runtime'].flatMap((folder) => filesBelow(folder, '.ts')).map(readSource)

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => path.posix.join(folder, file.split(path.sep).join('/')))
}

function readSource(file: string): Source {
  const text = readFileSync(path.join(root, file), 'utf8')
  // Dynamic imports count as well, but for those of literal packages that entry points load on demand.
  const specifiers = [...text.matchAll(/^(?:import|export)\b[^'"`;]*?from\s+'([^']+)'|^import '([^']+)'/gms)]
  const imports = specifiers.map(([, from, bare]) => {
    const specifier = (from ?? bare)!
    return specifier.startsWith('.') ? path.posix.join(path.posix.dirname(file), specifier) : specifier
  })
  return { path: file, text, imports }
}

/** What each folder of serving may import besides itself, packages, and what serving may as a whole. */
const WITHIN_SERVING: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  openapi: [],
  params: ['shared'],
  hydration: ['shared'],
  http: ['shared'],
  system: ['shared'],
  'define.ts': ['params'],
  lists: ['shared', 'params', 'hydration', 'define.ts'],
  records: ['shared', 'params', 'hydration', 'define.ts'],
  queries: ['shared', 'params', 'hydration', 'define.ts', 'lists'],
}

const SERVING = ['runtime/core', 'runtime/storage', 'runtime/app.ts']

/** What each part may import besides itself and packages. */
const DIRECTIONS: Readonly<Record<string, readonly string[]>> = {
  'runtime/core': [],
  'runtime/sources': ['runtime/core'],
  'runtime/identity': ['runtime/core'],
  'runtime/admission': ['runtime/core'],
  'runtime/storage': ['runtime/core'],
  'runtime/apply': ['runtime/core', 'runtime/admission', 'runtime/storage'],
  'runtime/operations': [
    ...['runtime/core', 'runtime/admission', 'runtime/storage', 'runtime/apply', 'runtime/sources', 'runtime/identity'],
    'runtime/app.ts',
  ],
  'runtime/serving': SERVING,
  ...Object.fromEntries(
    Object.entries(WITHIN_SERVING).map(([part, others]) => [
      `runtime/serving/${part}`,
      [...SERVING, ...others.map((other) => `runtime/serving/${other}`)],
    ]),
  ),
  'runtime/platform': ['runtime/core'],
  'runtime/client': ['runtime/core'],
  'runtime/explorer': ['runtime/core'],
  // Runs in browsers: nothing of a server's.
  'runtime/explorer/page': [],
  'runtime/node': ['runtime/core', 'runtime/serving'],
  'runtime/worker': ['runtime/core', 'runtime/storage', 'runtime/operations', 'runtime/indexer.ts'],
  'runtime/app.ts': ['runtime/core', 'runtime/storage', 'runtime/serving'],
  'generator/config': ['runtime/core', 'generator/index.ts'],
  'generator/input': ['runtime/core', 'generator/config'],
  'generator/lexicons': ['runtime/core', 'runtime/identity', 'runtime/client', 'generator/input'],
  'generator/model': ['generator/input'],
  'generator/plan': ['generator/model', 'generator/input/issues.ts'],
  'generator/dialects': ['generator/plan', 'generator/model/names.ts'],
  'generator/print': ['generator/dialects/dialect.ts'],
  'generator/emit': ['generator/model', 'generator/plan', 'generator/dialects', 'generator/print'],
}

describe('imports run one way', () => {
  for (const [part, allowed] of Object.entries(DIRECTIONS)) {
    test(part, () => {
      const wrong = sources
        .filter((source) => isBelow(source.path, part))
        .flatMap((source) => source.imports.map((target) => ({ source, target })))
        .filter(({ target }) => /^(runtime|generator|fixtures|test)\//.test(target))
        .filter(({ target }) => ![part, ...allowed].some((place) => isBelow(target, place)))
        .map(({ source, target }) => `${source.path} → ${target}`)
      expect(wrong).toEqual([])
    })
  }

  test('every folder has a rule', () => {
    const parts = sources.map(({ path: file }) => file.split('/')).filter((parts) => parts.length > 2)
    const folders = new Set(parts.map(([top, folder]) => `${top}/${folder}`))
    for (const [top, folder, inner] of parts.filter((parts) => parts.length > 3)) {
      if (`${top}/${folder}` === 'runtime/serving') folders.add(`runtime/serving/${inner}`)
    }
    const ruled = [...folders].filter((folder) => folder in DIRECTIONS)
    // The command line is an entry point: it may use everything.
    expect([...folders].filter((folder) => !ruled.includes(folder))).toEqual(['generator/cli'])
  })

  test('the runtime never imports the generator', () => {
    const wrong = sources.filter((s) => isBelow(s.path, 'runtime') && s.imports.some((i) => isBelow(i, 'generator')))
    expect(wrong.map((source) => source.path)).toEqual([])
  })
})

function isBelow(file: string, place: string): boolean {
  return file === place || file.startsWith(`${place}/`)
}

test('the client is safe for browsers', () => {
  const builtins = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)])
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const target of sources.find((source) => source.path === file)?.imports ?? []) visit(target)
  }
  visit('runtime/client/index.ts')
  expect([...reached].filter((file) => builtins.has(file))).toEqual([])
})

test('what runs everywhere leaves Node to its own folders', () => {
  const own = ['runtime/platform/node', 'runtime/node', 'runtime/storage/sqlite', 'runtime/storage/postgres']
  // The package has the bundled page in its place.
  own.push('runtime/explorer/assets.ts')
  const wrong = sources
    .filter((source) => isBelow(source.path, 'runtime') && !own.some((place) => isBelow(source.path, place)))
    .flatMap((source) => source.imports.map((target) => ({ source, target })))
    .filter(({ target }) => target.startsWith('node:') || target === 'ws')
    .map(({ source, target }) => `${source.path} → ${target}`)
  expect(wrong).toEqual([])
})

test('drivers appear only in the folder of their database', () => {
  const drivers: Readonly<Record<string, string>> = {
    'node:sqlite': 'runtime/storage/sqlite',
    pg: 'runtime/storage/postgres',
  }
  const wrong = sources.flatMap((source) =>
    source.imports
      .filter((target) => target in drivers && !isBelow(source.path, drivers[target]!))
      .map(() => source.path),
  )
  expect(wrong).toEqual([])
})

test('no code outside of a dialect asks which dialect it is', () => {
  const asks = /(dialect|database)(\.name)?\s*[!=]==?\s*['"]|case '(sqlite|postgres|d1)'/
  const wrong = sources.filter((source) => !/\/(dialects|storage)\/\w+\//.test(source.path) && asks.test(source.text))
  expect(wrong.map((source) => source.path)).toEqual([])
})

test('a file has one job, and about 300 lines at most', () => {
  const styles = filesBelow('runtime', '.css').map((file) => ({
    path: file,
    text: readFileSync(path.join(root, file), 'utf8'),
  }))
  const all = [...sources, ...styles].map((file) => ({ path: file.path, lines: file.text.split('\n').length }))
  const long = all.filter(({ lines }) => lines > 310)
  expect(long).toEqual([])
})

test('templates place and do not decide', () => {
  for (const file of filesBelow('generator/templates', '.hbs')) {
    const text = readFileSync(path.join(root, file), 'utf8')
    expect(text.match(/\{\{#(?!each)\w+/g), file).toBeNull()
    expect(text.match(/^import /gm), file).toBeNull()
    expect(text.split('\n').length, file).toBeLessThanOrEqual(61)
  }
})
