/**
 * Every folder of `fixtures/cases` is a case: a config and lexicons, and what comes of them. `UPDATE_GOLDEN=1` rewrites
 * what the cases expect; the difference is for a person to read.
 */
import { readdirSync, readFileSync, renameSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { projectWithConfig, repository } from '../generator/support/project.ts'
import { type Case, cases, Golden, type Outcome, printIssues, run } from './cases.ts'

const updating = process.env.UPDATE_GOLDEN === '1'
if (updating && process.env.CI) throw new Error('UPDATE_GOLDEN is not for CI: what is expected is decided in review.')

describe.each(cases)('$name', (golden) => {
  let outcome: Outcome

  test('gives what is expected', async () => {
    outcome = await run(golden.root)
    const expected = new Golden(golden)
    if (updating) expected.update(outcome)
    expect.soft(printIssues(outcome.issues), 'issues.txt').toBe(expected.issues())
    compareTrees(outcome.files && expected.select(outcome.files), expected.files())
  })

  test('gives the same twice', async () => {
    expect(await run(golden.root)).toEqual(outcome)
  })

  test('gives the same whatever the order of keys and of files', async ({ skip }) => {
    if (outcome.files === null) skip('nothing is generated')
    const shuffled = await run(shuffle(golden))
    expect(shuffled.files).toEqual(outcome.files)
    const withoutFiles = ({ issues }: Outcome) => issues.filter((issue) => !JSON.stringify(issue).includes('lexicons/'))
    expect(withoutFiles(shuffled)).toEqual(withoutFiles(outcome))
  })

  test('says nothing about this machine, this day or this version', () => {
    for (const [file, content] of Object.entries(outcome.files ?? {})) {
      expect(content, file).not.toContain(repository)
      expect(content, file).not.toMatch(/\b20\d\d-\d\d-\d\d\b/)
      expect(content, file).not.toMatch(/(?<![\d.])\d+\.\d+\.\d+(?![\d.])/)
      expect(content, file).not.toContain('\r')
    }
  })
})

function compareTrees(actual: Readonly<Record<string, string>> | null, expected: Record<string, string> | null): void {
  if (actual === null || expected === null) {
    expect(actual && Object.keys(actual)).toEqual(expected && Object.keys(expected))
    return
  }
  const missing = Object.keys(expected).filter((file) => !(file in actual))
  const extra = Object.keys(actual).filter((file) => !(file in expected))
  expect.soft({ missing, extra }).toEqual({ missing: [], extra: [] })
  for (const [file, content] of Object.entries(actual)) {
    if (file in expected) expect.soft(content, file).toBe(expected[file])
  }
}

/** The same project elsewhere, with every object of the config and every file name the other way round. */
function shuffle({ root }: Case): string {
  const project = projectWithConfig(root, REVERSED)
  const lexicons = path.join(project, 'lexicons')
  for (const [i, name] of readdirSync(lexicons).sort().reverse().entries()) {
    renameSync(path.join(lexicons, name), path.join(lexicons, `${String(i).padStart(3, '0')}-${name}`))
  }
  return project
}

const REVERSED = `
import config from './original.config.ts'

function reverse(value) {
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).reverse().map(([key, inner]) => [key, reverse(inner)]))
}

export default reverse(config)
`

test('every issue has a case', () => {
  const sources = ['input', 'model', 'plan'].flatMap((part) => {
    const directory = path.join(repository, 'generator', part)
    return readdirSync(directory).map((file) => readFileSync(path.join(directory, file), 'utf8'))
  })
  const codes = sources.flatMap((source) => [...source.matchAll(CODE)].map(([, code]) => code!))
  const seen = new Set(
    cases.flatMap((golden) => [...new Golden(golden).issues().matchAll(/ \(([a-z-]+)\)$/gm)].map(([, c]) => c)),
  )
  expect([...new Set(codes)].filter((code) => !seen.has(code))).toEqual([])
  expect([...seen].filter((code) => !codes.includes(code!))).toEqual([])
})

/** A code where the generator states one: in a call, as a property, or on a line of its own. */
const CODE = /(?:(?:error|warn|\])\(\s*|code: |^ +|\), )'([a-z]+(?:-[a-z]+)+)'(?=,| [|}]|$)/gm
