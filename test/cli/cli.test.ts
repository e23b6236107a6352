import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestProject } from './project.ts'

const CONFIG = `import { defineConfig } from 'lexidex'

export default defineConfig({
  namespace: 'com.example',
  collections: { status: { collection: 'xyz.statusphere.status', queryable: { status: {} } } },
  profiles: [],
})
`

let project: TestProject

beforeEach(() => {
  project = new TestProject()
})

afterEach(() => project.remove())

describe('usage', () => {
  it.each([
    [['--help'], 0, /generate.*check.*start.*backfill/s],
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/],
    [['start', '--help'], 0, /Examples:/],
    [[], 2, /Usage: lexidex/],
    [['genrate'], 2, /Did you mean generate\?/],
    [['generate', '--nope'], 2, /unknown option '--nope'/],
    [['start', '--port', '99999'], 2, /whole number from 0 to 65535/],
    [['init', '--namespace', 'example'], 2, /reverse domain/],
  ])('%j ends with %i', async (args, code, output) => {
    const ended = await project.run(...args)
    expect(ended.stdout + ended.stderr).toMatch(output)
    expect(ended.code).toBe(code)
  })
})

it('goes from init to generate to check', async () => {
  const init = await project.run('init', '--namespace', 'com.acme')
  expect(init).toMatchObject({ code: 0, stdout: expect.stringContaining('Wrote lexidex.config.ts') })
  expect(project.read('lexidex.config.ts')).toContain("namespace: 'com.acme'")

  const missing = await project.run('check')
  expect(missing.code).toBe(1)
  expect(missing.stdout).toContain('  missing  collections/event.ts')
  expect(existsSync(path.join(project.root, 'src'))).toBe(false)

  const generate = await project.run('generate')
  expect(generate).toMatchObject({ code: 0, stderr: '' })
  expect(generate.stdout).toContain('  + collections/event.ts')

  const check = await project.run('check')
  expect(check).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('up to date') })

  project.write('src/lexidex/tables.ts', '')
  rmSync(path.join(project.root, 'src/lexidex/client.ts'))
  const config = project.read('lexidex.config.ts')
  project.write(
    'lexidex.config.ts',
    config.replace(/rsvp: \{[\s\S]*?\n {4}\},\n/, '').replace(/relations: \{[\s\S]*?\n {6}\},\n/, ''),
  )
  const stale = await project.run('check')
  expect(stale.code).toBe(1)
  expect(stale.stdout).toMatch(/ {2}stale {4}.*tables\.ts/)
  expect(stale.stdout).toContain('  missing  client.ts')
  expect(stale.stdout).toContain('  extra    collections/rsvp.ts')
  expect(stale.stderr).toContain('npx lexidex generate')
})

it('init does not overwrite a config, wherever it is', async () => {
  project.write('src/lexidex.config.js', 'mine')
  const ended = await project.run('init')
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('src/lexidex.config.js') })
  expect(existsSync(path.join(project.root, 'lexidex.config.ts'))).toBe(false)
  expect(project.read('src/lexidex.config.js')).toBe('mine')
})

it('--print-model prints the model and writes nothing', async () => {
  project.write('lexidex.config.ts', CONFIG)
  const ended = await project.run('generate', '--print-model')
  expect(ended.code).toBe(0)
  expect(JSON.parse(ended.stdout)).toMatchObject({ namespace: 'com.example', collections: [{ name: 'status' }] })
  expect(existsSync(path.join(project.root, 'src'))).toBe(false)
})

it('takes --root and --config from elsewhere', async () => {
  project.write('api/config/my.config.ts', CONFIG)
  const ended = await project.run('--root', 'api', 'generate', '--config', 'api/config/my.config.ts')
  expect(ended.stdout).toContain('api/src/lexidex: ')
  expect(ended.code).toBe(0)
})

describe('problems', () => {
  it('are listed together, with hints and without stack traces', async () => {
    project.write('lexidex.config.ts', CONFIG.replace('status: {}', 'statsu: {}, createdAt: {}, x: {}'))
    const ended = await project.run('generate')
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain('collections.status.queryable.statsu')
    expect(ended.stderr).toContain('hint: Did you mean `status`?')
    expect(ended.stderr).toContain('2 errors')
    expect(ended.stderr).not.toContain('    at ')
  })

  it('show their stack traces where asked', async () => {
    project.write('lexidex.config.ts', 'export default {\n  a: (undefined as any).b,\n}')
    const plain = await project.run('check')
    expect(plain.stderr).toContain('lexidex.config.ts:2:25: Cannot read properties')
    expect(plain.stderr).not.toContain('    at ')
    const verbose = await project.run('check', '--verbose')
    expect(verbose.stderr).toContain('    at ')
    expect(verbose.code).toBe(1)
  })

  it('warn of keys without effect, and go on', async () => {
    project.write(
      'lexidex.config.ts',
      CONFIG.replace('profiles: []', "profiles: [], feeds: { home: { targets: ['status'] } }"),
    )
    const ended = await project.run('generate', '--print-model')
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain('`feeds` has no effect')
  })

  it('tell where a config was looked for', async () => {
    const ended = await project.run('generate')
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('npx lexidex init') })
  })

  it('tell of a directory or file that is not there', async () => {
    const missing = await project.run('generate', '--root', 'nowhere')
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no directory nowhere.') })
    const directory = await project.run('generate', '--config', '.')
    expect(directory).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no config file ') })
    // Not of the database, which would be looked for in a wrong place.
    const elsewhere = await project.run('status', '--root', 'node_modules')
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('No lexidex.config.ts in ') })
  })

  it('tell to generate before start', async () => {
    project.write('lexidex.config.ts', CONFIG)
    const ended = await project.run('start')
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('Run `npx lexidex generate` first.') })
  })
})

it('--watch generates again after changes of config and lexicons, and survives mistakes', async () => {
  project.write('lexidex.config.ts', CONFIG)
  project.write('lexicons/empty.json', '{ "$schema": "none" }')
  const running = project.start('generate', '--watch')
  try {
    await running.until('Waiting for changes', 1)
    expect(running.stdout).toContain('+ collections/status.ts')

    project.write('lexidex.config.ts', CONFIG.replace('queryable', 'queriable'))
    await running.until('Waiting for changes', 2)
    expect(running.stderr).toContain('Did you mean `queryable`?')

    project.write('lexidex.config.ts', CONFIG.replace('com.example', 'com.changed'))
    await running.until('Waiting for changes', 3)
    expect(project.read('src/lexidex/index.ts')).toContain('com.changed')

    project.write('lexicons/deep/broken.json', '{')
    await running.until('Not JSON')
  } finally {
    running.process.kill('SIGINT')
    await running.ended
  }
})
