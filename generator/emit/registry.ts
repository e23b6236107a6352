import type { Artifact } from './artifact.ts'
import { client } from './client.ts'
import { collections } from './collections.ts'
import { config } from './config.ts'
import { index } from './index.ts'
import { lexicons } from './lexicons.ts'
import { migrations } from './migrations.ts'
import { model } from './model.ts'
import { records } from './records.ts'
import { tables } from './tables.ts'

/** Everything that is emitted. A new kind of file is a new line here. */
export const artifacts: readonly Artifact[] = [
  tables,
  collections,
  index,
  client,
  migrations,
  lexicons,
  records,
  config,
  model,
]
