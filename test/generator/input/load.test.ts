import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findConfig, loadConfig } from '../../../generator/input/load.ts'

let root: string

beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'lexidex-')))
})

afterEach(() => rmSync(root, { recursive: true }))

function write(file: string, text: string): string {
  const at = path.join(root, file)
  mkdirSync(path.dirname(at), { recursive: true })
  writeFileSync(at, text)
  return at
}

describe('findConfig', () => {
  it('takes the first of the root, src, src/lib and app', () => {
    const places = [
      'app/lexidex.config.ts',
      'src/lib/lexidex.config.mts',
      'src/lexidex.config.js',
      'lexidex.config.mjs',
    ]
    for (const place of places) {
      const file = write(place, '')
      expect(findConfig(root)).toBe(file)
    }
  })

  it('prefers TypeScript', () => {
    write('lexidex.config.js', '')
    const file = write('lexidex.config.ts', '')
    expect(findConfig(root)).toBe(file)
  })

  it('takes the file that is named', () => {
    write('lexidex.config.ts', '')
    const file = write('other/my.config.ts', '')
    expect(findConfig(root, 'other/my.config.ts')).toBe(file)
  })

  it('says where it looked', () => {
    expect(() => findConfig(root)).toThrow(expect.objectContaining({ hint: expect.stringContaining('src/lib/') }))
    expect(() => findConfig(root, 'nope.ts')).toThrow('no config file nope.ts')
  })
})

describe('loadConfig', () => {
  const esm = () => write('package.json', '{ "type": "module" }')

  it.each([
    ['lexidex.config.ts', 'const n: string = "a.b"\nexport default { namespace: n }'],
    ['lexidex.config.ts', 'export const config: object = { namespace: "a.b" }'],
    ['lexidex.config.js', 'export default { namespace: "a.b" }'],
    ['lexidex.config.mts', 'export default { namespace: "a.b" as string }'],
    ['lexidex.config.mjs', 'export const config = { namespace: "a.b" }'],
  ])('imports %s: %s', async (name, text) => {
    const file = write(name, text)
    expect(await loadConfig(file)).toEqual({ namespace: 'a.b' })
    esm()
    expect(await loadConfig(file)).toEqual({ namespace: 'a.b' })
  })

  it('imports what the config imports', async () => {
    esm()
    write('filter.ts', 'export const filter = (record: { ok: boolean }) => record.ok')
    const file = write('lexidex.config.ts', "import { filter } from './filter'\nexport default { filter }")
    const config = (await loadConfig(file)) as { filter: (record: unknown) => boolean }
    expect(config.filter({ ok: true })).toBe(true)
  })

  it.each(['module', 'commonjs'])('imports afresh every time (%s)', async (type) => {
    write('package.json', JSON.stringify({ type }))
    const file = write('lexidex.config.ts', 'export default 1')
    expect(await loadConfig(file)).toBe(1)
    write('lexidex.config.ts', 'export default 2')
    expect(await loadConfig(file)).toBe(2)
  })

  it("imports the calendar app's config, which imports lexidex", async () => {
    const file = path.resolve(import.meta.dirname, '../../../fixtures/apps/calendar/lexidex.config.ts')
    expect(await loadConfig(file)).toMatchObject({ namespace: 'com.example' })
  })

  describe.each(['module', 'commonjs'])('in a %s project', (type) => {
    beforeEach(() => void write('package.json', JSON.stringify({ type })))

    it.each([
      ['a syntax error', 'export default {\n  a: 1,,\n}', /lexidex\.config\.ts:2:8: Expected identifier/],
      [
        'a missing package',
        "\nimport { x } from 'not-a-package'\nexport default { x }",
        /lexidex\.config\.ts:2: cannot find the package `not-a-package`/,
      ],
      [
        'a missing file',
        "import { x } from './nope.ts'\nexport default { x }",
        /lexidex\.config\.ts:1: cannot find the file `.*nope\.ts`/,
      ],
      [
        'an exception',
        'const x: any = undefined\nexport default { a: x.foo }',
        /lexidex\.config\.ts:\d+:\d+: Cannot read properties/,
      ],
      ['no export', 'export const other = 1', /exports no config/],
    ])('names file and line of %s', async (_, text, message) => {
      const file = write('lexidex.config.ts', text)
      await expect(loadConfig(file)).rejects.toThrow(message)
      await expect(loadConfig(file)).rejects.toMatchObject({ hint: expect.any(String) })
    })
  })

  it('names the imported file that is wrong', async () => {
    esm()
    write('filter.ts', 'export const filter = (')
    const file = write('lexidex.config.ts', "import { filter } from './filter.ts'\nexport default { filter }")
    await expect(loadConfig(file)).rejects.toThrow(/filter\.ts:1:\d+: Unexpected end of file/)
  })
})
