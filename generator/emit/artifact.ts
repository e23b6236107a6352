import type { LexiconDoc } from '@atproto/lexicon'
import type { Dialect } from '../dialects/dialect.ts'
import type { Model } from '../model/types.ts'
import type { SchemaPlan } from '../plan/types.ts'
import type { Draft } from '../print/files.ts'

/** What every emitter sees. */
export interface EmitContext {
  readonly model: Model
  readonly plan: SchemaPlan
  /** Databases to write migrations for. */
  readonly dialects: readonly Dialect[]
  /** Lexicon documents, cut down to what the collections' records reach. */
  readonly docs: readonly LexiconDoc[]
  /** NSID and paths of every record type in the project, for typing the config. */
  readonly records: readonly RecordPaths[]
  /** How an emitted file of `outDir`, or of a folder in it, imports the user's config, where it holds functions. */
  readonly configImport: (folder?: string) => string
  /** Where slow results may be kept between runs. */
  readonly cacheDir: string
}

/** Paths of one record type by what the config can do with them; see `LexiconPaths`. */
export interface RecordPaths {
  readonly nsid: string
  readonly queryable: readonly string[]
  readonly range: readonly string[]
  readonly searchable: readonly string[]
  readonly field: readonly string[]
}

/** One kind of emitted file. */
export interface Artifact {
  emit(context: EmitContext): Draft[] | Promise<Draft[]>
}
