import type { Statement } from '../dialects/dialect.ts'
import { sqlHeader } from './header.ts'

/** A migration as a file: statements with their comments, one empty line between. */
export function printSql(statements: readonly Statement[]): string {
  const parts = statements.map(({ comment, sql }) => `${comment === undefined ? '' : `-- ${comment}\n`}${sql};\n`)
  return sqlHeader + parts.join('\n')
}
