import type { Command } from 'commander'
import { addPublish } from './publish.ts'
import { addPull } from './pull.ts'

/** `lexidex lexicons pull` and `lexidex lexicons publish` */
export function addLexicons(program: Command): void {
  const lexicons = program.command('lexicons').description('Fetch lexicons that are published, and publish your own.')
  addPull(lexicons)
  addPublish(lexicons)
}
