import { LexidexError, messageOf } from '../../core/errors.ts'

/** SQLite's codes for what no second attempt mends: the statement or a value of it is at fault. */
const PERMANENT = /\bSQLITE_(?:ERROR|CONSTRAINT|MISMATCH|TOOBIG|RANGE|MISUSE)\b|\bD1_TYPE_ERROR\b/

/** Whether an error of D1 is about its condition (overloaded, moving, unreachable), not about what was written. */
export function isPassing(error: unknown): boolean {
  // In our own words D1 has a name too.
  const message = messageOf(error instanceof LexidexError ? error.cause : error)
  // What goes wrong on the way to the database carries no code of SQLite; D1 names it in words of its own.
  return /\bD1_|\bD1 |\bSQLITE_|[Nn]etwork connection|[Ii]nternal error/.test(message) && !PERMANENT.test(message)
}
