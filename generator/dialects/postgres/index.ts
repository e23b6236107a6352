import type { Dialect } from '../dialect.ts'
import { authors } from './authors.ts'
import { bookkeeping } from './bookkeeping.ts'
import { counterTriggers } from './counters.ts'
import { sharedFunctions } from './functions.ts'
import { listTables } from './lists.ts'
import { rebuildTrigger } from './rebuild.ts'
import { searchTable } from './search.ts'
import { createTable } from './tables.ts'
import { versions } from './versions.ts'

export const postgres: Dialect = {
  name: 'postgres',
  title: 'Postgres',
  createSchema: (plan) => [
    ...sharedFunctions(plan),
    ...plan.tables.flatMap((table) => [...createTable(table), ...listTables(table), ...searchTable(table)]),
    // Triggers name two tables, so they come after all of them.
    ...plan.counters.flatMap((counter) => counterTriggers(counter, plan)),
    ...bookkeeping,
    ...authors(plan),
    ...versions(plan),
    ...rebuildTrigger(plan),
  ],
}
