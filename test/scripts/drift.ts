/** Fails where a committed app is not what the generator writes today. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { generate } from '../../generator/generate.ts'

const apps = path.resolve(import.meta.dirname, '../../fixtures/apps')
let drifted = false
for (const app of readdirSync(apps).sort()) {
  const { drift } = await generate({ root: path.join(apps, app), write: false })
  for (const [kind, files] of Object.entries(drift)) {
    for (const file of files) {
      drifted = true
      console.error(`${kind}: fixtures/apps/${app}: ${file}`)
    }
  }
}
if (drifted) {
  console.error('\nRun `npm run generate:apps`, read the diff and commit it.')
  process.exitCode = 1
} else console.log('Every app in fixtures/apps is up to date.')
