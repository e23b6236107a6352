import { afterAll } from 'vitest'
import { D1Server } from './d1-harness.ts'
import type { OpenDatabase } from './harness.ts'
import { openPartitioned, openPostgres } from './postgres-harness.ts'
import { openSqlite } from './sqlite-harness.ts'

/** A database that tests of what stands on storage run on as well. */
export interface TestDatabase {
  readonly name: string
  readonly open: OpenDatabase
  /** Share of the random cases that it runs: to open one takes some databases a while. */
  readonly share: number
}

const d1 = new D1Server()
afterAll(() => d1.close())

const ALL: readonly TestDatabase[] = [
  { name: 'sqlite', open: () => openSqlite('inline'), share: 1 },
  { name: 'postgres', open: openPostgres, share: 0.1 },
  { name: 'postgres-partitioned', open: openPartitioned, share: 0.05 },
  { name: 'd1', open: d1.open, share: 0.03 },
]

const wanted = process.env.TEST_DATABASES?.split(',')

/** Those that tests run on: all, or the names in `TEST_DATABASES`, as in `TEST_DATABASES=sqlite,postgres`. */
export const databases = ALL.filter(({ name }) => wanted?.includes(name) ?? true)
