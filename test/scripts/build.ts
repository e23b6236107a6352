/** Builds `dist/`: JavaScript and declarations by tsc, templates beside the code that reads them, the explorer as text. */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { explorerModule } from './explorer-module.ts'

const root = path.resolve(import.meta.dirname, '../..')
const at = (...parts: string[]) => path.join(root, ...parts)

rmSync(at('dist'), { recursive: true, force: true })
execFileSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('.tsconfig.build.json')], {
  stdio: 'inherit',
})
cpSync(at('generator/templates'), at('dist/generator/templates'), { recursive: true })
chmodSync(at('dist/generator/cli.js'), 0o755)
writeFileSync(at('dist/runtime/explorer/assets.js'), await explorerModule())
