import type { Command } from 'commander'
import type { GenerateResult } from '../generate.ts'
import { print, printIssues } from './output.ts'
import { display, projectOf, withConfig } from './project.ts'

interface Options {
  readonly printModel?: boolean
  readonly watch?: boolean
}

/** `lexidex generate` */
export function addGenerate(program: Command): void {
  withConfig(program.command('generate'))
    .description('Write the indexer that config and lexicons describe.')
    .option('--print-model', 'print what was understood as JSON, and write nothing')
    .option('-w, --watch', 'generate again whenever the config or a lexicon changes')
    .addHelpText(
      'after',
      `
Examples:
  $ lexidex generate
  $ lexidex generate --watch
  $ lexidex generate --config apps/api/lexidex.config.ts --root apps/api
  $ lexidex generate --print-model | jq .collections`,
    )
    .action(async (options: Options, command: Command) => {
      // Loaded here, so that `--help` need not wait for it.
      const { findConfig } = await import('../input/load.ts')
      const { root, explicitConfig, verbose } = projectOf(command)
      const find = () => findConfig(root, explicitConfig)
      const once = (configPath: string) => generateOnce(root, configPath, options.printModel === true)
      if (!options.watch) await once(find())
      else await (await import('./watch.ts')).watch(root, find, once, { verbose })
    })
}

async function generateOnce(root: string, configPath: string, printModel: boolean): Promise<void> {
  if (!printModel) {
    await generateAndTell(root, configPath)
    return
  }
  const { generate } = await import('../generate.ts')
  const { issues, model } = await generate({ root, configPath, write: false })
  printIssues(issues)
  print(JSON.stringify(model, null, 2))
}

/** Writes the output, and prints what changed. */
export async function generateAndTell(root: string, configPath: string): Promise<GenerateResult> {
  const { generate } = await import('../generate.ts')
  const result = await generate({ root, configPath })
  printIssues(result.issues)
  printChanges(result)
  return result
}

function printChanges({ outDir, files, drift }: GenerateResult): void {
  const changes = [
    ...drift.missing.map((path) => ({ path, sign: '+' })),
    ...drift.stale.map((path) => ({ path, sign: '~' })),
    ...drift.extra.map((path) => ({ path, sign: '-' })),
  ]
  for (const { path, sign } of changes.sort((a, b) => (a.path < b.path ? -1 : 1))) print(`  ${sign} ${path}`)
  const unchanged = files.length - drift.missing.length - drift.stale.length
  print(
    `${display(outDir)}: ${changes.length === 0 ? 'up to date' : `${changes.length} changed`}, ${unchanged} unchanged`,
  )
}
