/**
 * The tests of Postgres on several of its versions: `npm run test:postgres`, or `npm run test:postgres -- 15 16`. Versions
 * that the repository does not have itself are fetched first.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { NEWEST } from '../postgres/server.ts'
import manifest from '../postgres/versions/package.json' with { type: 'json' }

const OLDER = Object.keys(manifest.dependencies).map((name) => name.replace('postgres-', ''))

/** What looks at Postgres alone, and what runs on every database. Each is the beginning of a file's name. */
const TESTS = [
  ...['test/postgres', 'test/storage/postgres', 'test/storage/partitions', 'test/serving/lists/partition-plans'],
  ...['test/generator/postgres', 'test/storage/apps', 'test/operations/live/poison'],
  ...['test/serving/lists/list-model', 'test/serving/hydration/hydrate-model', 'test/serving/http/cache'],
  ...['test/invariants/convergence', 'test/invariants/no-resurrection', 'test/invariants/counts-equal-recount'],
  ...['test/invariants/searches-find-the-same', 'test/invariants/filters-mean-the-same'],
]
const DATABASES = 'postgres,postgres-partitioned'

const known = [...OLDER, NEWEST]
const asked = process.argv.slice(2)
const unknown = asked.filter((version) => !known.includes(version))
if (unknown.length > 0) {
  console.error(`There is no Postgres ${unknown.join(', ')} to test on: there are ${known.join(', ')}.`)
  process.exit(2)
}
const versions = asked.length > 0 ? asked : known
const folder = path.resolve(import.meta.dirname, '../postgres/versions')
if (versions.some((version) => version !== NEWEST) && !existsSync(path.join(folder, 'node_modules'))) {
  run('npm', ['ci', '--no-audit', '--no-fund', '--prefix', folder], {})
}
for (const version of versions) {
  console.log(`Postgres ${version}`)
  const vitest = path.resolve(import.meta.dirname, '../../node_modules/vitest/vitest.mjs')
  run(process.execPath, [vitest, 'run', '--config', 'test/vitest.config.ts', ...TESTS], {
    POSTGRES_VERSION: version,
    TEST_DATABASES: DATABASES,
  })
}

/** Ends with the exit code of what fails. */
function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
  const { status, error } = spawnSync(command, args, {
    stdio: 'inherit',
    env: { ...process.env, ...env },
    shell: process.platform === 'win32' && command === 'npm',
  })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}
