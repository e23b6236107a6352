import type { Command } from 'commander'
import { note, print, printIssues, Reported } from './output.ts'
import { display, projectOf, withConfig } from './project.ts'

/** `lexidex check` */
export function addCheck(program: Command): void {
  withConfig(program.command('check'))
    .description('Fail where the generated files are not what config and lexicons describe.')
    .addHelpText(
      'after',
      `
Ends with 0 where all is as generated, and with 1 where files are stale, missing or left over.

Examples:
  $ lexidex check
  $ lexidex check || npx lexidex generate`,
    )
    .action(async (_options, command: Command) => {
      const { findConfig } = await import('../input/load.ts')
      const { generate } = await import('../generate.ts')
      const { root, explicitConfig } = projectOf(command)
      const { drift, files, issues, outDir } = await generate({
        root,
        configPath: findConfig(root, explicitConfig),
        write: false,
      })
      printIssues(issues)
      const lines = [
        ...drift.stale.map((path) => `  stale    ${path}`),
        ...drift.missing.map((path) => `  missing  ${path}`),
        ...drift.extra.map((path) => `  extra    ${path}`),
      ]
      if (lines.length === 0) {
        print(`${display(outDir)}: up to date, ${files.length} files`)
        return
      }
      print(`${display(outDir)} is not what config and lexicons describe:\n${lines.join('\n')}`)
      note('Run `npx lexidex generate` and commit the result.')
      throw new Reported()
    })
}
