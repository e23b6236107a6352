import type { Command } from 'commander'
import { addPull } from './pull.ts'

/** `lexidex lexicons pull` and `lexidex lexicons publish` */
export function addLexicons(program: Command): void {
  const lexicons = program.command('lexicons').description('Fetch lexicons that others publish.')
  addPull(lexicons)
}
