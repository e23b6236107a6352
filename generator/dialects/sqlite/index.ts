import type { Dialect } from '../dialect.ts'
import { authors } from './authors.ts'
import { bookkeeping } from './bookkeeping.ts'
import { counterTriggers } from './counters.ts'
import { listTables } from './lists.ts'
import { rebuildTriggers } from './rebuild.ts'
import { searchTable } from './search.ts'
import { createTable } from './tables.ts'
import { versions } from './versions.ts'

export const sqlite: Dialect = {
  name: 'sqlite',
  title: 'SQLite',
  createSchema: (plan) => [
    ...plan.tables.flatMap((table) => [...createTable(table), ...listTables(table), ...searchTable(table)]),
    // Triggers name two tables, so they come after all of them.
    ...plan.counters.flatMap(counterTriggers),
    ...bookkeeping,
    ...authors(plan),
    ...versions(plan),
    ...rebuildTriggers(plan),
  ],
}
