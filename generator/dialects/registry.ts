import type { Dialect } from './dialect.ts'
import { postgres } from './postgres/index.ts'
import { sqlite } from './sqlite/index.ts'

/** Every database that the generator writes for, by the name used in the config. */
export const dialects: Readonly<Record<string, Dialect>> = { postgres, sqlite }
