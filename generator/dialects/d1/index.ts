import type { Dialect } from '../dialect.ts'
import { sqlite } from '../sqlite/index.ts'

/** SQLite, with the same migrations, in tables of fewer columns. */
export const d1: Dialect = { ...sqlite, title: 'D1', maxColumns: 100 }
