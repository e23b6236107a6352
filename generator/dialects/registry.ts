import { d1 } from './d1/index.ts'
import type { Dialect } from './dialect.ts'
import { postgres } from './postgres/index.ts'
import { sqlite } from './sqlite/index.ts'

/** Every database that the generator writes for, by the name used in the config. */
export const dialects = { d1, postgres, sqlite } as const satisfies Record<string, Dialect>
