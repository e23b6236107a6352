/** What a database changes of the output: its migrations, and nothing else. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { generate } from '../../generator/generate.ts'
import { cacheDir, projectWithConfig, repository } from './support/project.ts'

const appsFolder = path.join(repository, 'fixtures/apps')

/** What an app's config gives for other databases, by path. */
async function filesFor(app: string, database: string | readonly string[]): Promise<Record<string, string>> {
  const config = `
    import config from './original.config.ts'
    export default { ...config, database: ${JSON.stringify(database)} }
  `
  const root = projectWithConfig(path.join(appsFolder, app), config)
  const { files } = await generate({ root, write: false, cacheDir })
  return Object.fromEntries(files.map(({ path, content }) => [path, content]))
}

function but(files: Record<string, string>, leftOut: RegExp): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([file]) => !leftOut.test(file)))
}

describe.each(readdirSync(appsFolder))('%s', (app) => {
  test('is the same for every database, to the byte, but for migrations', async () => {
    const sqlite = await filesFor(app, 'sqlite')
    const postgres = await filesFor(app, 'postgres')
    const both = await filesFor(app, ['postgres', 'sqlite'])
    const migrations = /^(migrations\/|\.lexidex-files$)/
    expect(Object.keys(but(sqlite, migrations))).toContain('index.ts')
    expect(but(postgres, migrations)).toEqual(but(sqlite, migrations))
    expect(but(both, migrations)).toEqual(but(sqlite, migrations))
    for (const one of [sqlite, postgres])
      expect(both).toMatchObject(but(one, /^(migrations\/index\.ts|\.lexidex-files)$/))
  })

  test('is the same for D1 as for SQLite', async () => {
    expect(await filesFor(app, 'd1')).toEqual(await filesFor(app, 'sqlite'))
  })
})
