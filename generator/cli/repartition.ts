import type { Command } from 'commander'
import { LexidexError } from '../../runtime/core/errors.ts'
import { withExistingDatabase } from './options.ts'
import { print } from './output.ts'
import { isUrl, projectOf, withConfig } from './project.ts'

/** `lexidex repartition` */
export function addRepartition(program: Command): void {
  withExistingDatabase(withConfig(program.command('repartition')))
    .description('Make the partitions of a Postgres database those that the config states.')
    .addHelpText(
      'after',
      `
Copies each table whose \`partitions\` were changed, with its indexes and triggers, in one transaction of its own.
Answers come from the table as it was until its copy is complete; what is written meanwhile, by all processes, waits.
As much room as the table takes is needed once more.

Examples:
  $ lexidex repartition --database postgres://app@localhost/index`,
    )
    .action(async ({ db }: { db: string }, command: Command) => {
      if (!isUrl(db)) {
        throw new LexidexError('Only a Postgres database has partitions.', {
          hint: 'Name it with --database postgres://… or DATABASE_URL.',
        })
      }
      const { loadEmitted } = await import('./emitted.ts')
      const { app, openStore } = await loadEmitted(projectOf(command))
      const store = await openStore(db)
      try {
        const applied = await store.migrate(app.migrations[store.dialect] ?? [])
        if (applied.length > 0) print(`Applied ${applied.join(', ')}.`)
        const changed = (await store.repartition?.(app.collections)) ?? []
        print(changed.length === 0 ? 'Every table is as the config states.' : `Copied ${changed.join(', ')}.`)
      } finally {
        await store.close()
      }
    })
}
