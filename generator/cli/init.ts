import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { isValidNsid } from '@atproto/syntax'
import { type Command, InvalidArgumentError } from 'commander'
import { LexidexError } from '../../runtime/core/errors.ts'
import { existingConfig } from '../input/load.ts'
import { print } from './output.ts'
import { display, projectOf } from './project.ts'

/** `lexidex init` */
export function addInit(program: Command): void {
  program
    .command('init')
    .description('Write a lexidex.config.ts to start from.')
    .option(
      '--namespace <domain>',
      'reverse domain that the names of your methods start with',
      namespace,
      'com.example',
    )
    .addHelpText(
      'after',
      `
Never overwrites a config.

Examples:
  $ lexidex init
  $ lexidex init --namespace com.acme.events`,
    )
    .action((options: { namespace: string }, command: Command) => {
      const { root } = projectOf(command)
      const existing = existingConfig(root)
      if (existing !== undefined) {
        throw new LexidexError(`There is a config already: ${display(existing)}.`, {
          hint: 'Edit it, or remove it first.',
        })
      }
      const file = path.join(root, 'lexidex.config.ts')
      writeFileSync(file, template(options.namespace), { flag: 'wx' })
      print(`Wrote ${display(file)}. Edit it, then run \`npx lexidex generate\`.`)
    })
}

function namespace(value: string): string {
  if (isValidNsid(`${value}.name`)) return value
  throw new InvalidArgumentError('It must be a reverse domain, such as com.example.')
}

function template(namespace: string): string {
  return `import { defineConfig } from 'lexidex'

export default defineConfig({
  // Names of methods start with it: ${namespace}.event.listRecords
  namespace: '${namespace}',

  // Directories or npm packages with the lexicons of your records. Those of some common
  // records, like the two below, come with lexidex.
  // lexicons: ['lexicons'],

  // What to index, by short name.
  collections: {
    event: {
      collection: 'community.lexicon.calendar.event',
      // Fields to filter and sort by: ?mode= and ?startsAtMin=&startsAtMax=
      queryable: {
        mode: {},
        startsAt: { type: 'range' },
      },
      // Fields whose words ?search= looks for.
      searchable: ['name', 'description'],
      // Records that point here: counted (rsvpsCount, rsvpsGoingCount) and embedded (?hydrateRsvps=5).
      relations: {
        rsvps: {
          collection: 'rsvp',
          groupBy: 'status',
          groups: {
            going: 'community.lexicon.calendar.rsvp#going',
            interested: 'community.lexicon.calendar.rsvp#interested',
          },
        },
      },
    },
    rsvp: {
      collection: 'community.lexicon.calendar.rsvp',
      queryable: { status: {} },
      // Records that this one points at: ?hydrateEvent=true
      references: {
        event: { collection: 'event', field: 'subject.uri' },
      },
    },
  },
})
`
}
