/** Writes every app in `fixtures/apps` anew. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { generate } from '../../generator/generate.ts'
import { formatIssues } from '../../generator/input/issues.ts'

const apps = path.resolve(import.meta.dirname, '../../fixtures/apps')
for (const app of readdirSync(apps).sort()) {
  const { drift, files, issues } = await generate({ root: path.join(apps, app) })
  const changed = drift.stale.length + drift.missing.length + drift.extra.length
  console.log(`fixtures/apps/${app}: ${files.length} files, ${changed} changed`)
  if (issues.length > 0) console.log(formatIssues(issues))
}
