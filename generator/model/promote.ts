import type { ResolvedCollection } from '../input/config.ts'
import { didYouMean, type Issues } from '../input/issues.ts'
import {
  type Definitions,
  type FieldSchema,
  kindOf,
  knownValues,
  type PathProblem,
  recordPaths,
  resolvePath,
} from './fields.ts'
import { filtersOf, type QueryOptions, supportedFilters } from './filters.ts'
import { fieldNames, tableName, valuesTable } from './names.ts'
import type { FieldFilter, FieldKind, FieldModel } from './types.ts'

/**
 * The fields of one collection that become columns: because they are `queryable`, or because a relation
 * or reference reads them. One field is one column, whatever asks for it.
 */
export class PromotedFields {
  readonly #collection: ResolvedCollection
  readonly #definitions: Definitions
  readonly #issues: Issues
  readonly #fields = new Map<string, FieldModel>()

  constructor(collection: ResolvedCollection, definitions: Definitions, issues: Issues) {
    this.#collection = collection
    this.#definitions = definitions
    this.#issues = issues
    for (const [path, options] of Object.entries(collection.queryable)) this.#query(path, options)
  }

  /** Promoted fields, sorted by column. */
  fields(): FieldModel[] {
    return [...this.#fields.values()].sort((a, b) => (a.column < b.column ? -1 : 1))
  }

  /** What `path` leads to; null without complaint where it leads nowhere. */
  peek(path: string): FieldSchema | null {
    const found = resolvePath(this.#definitions, this.#collection.collection, path)
    return 'problem' in found ? null : found
  }

  /** What `path` leads to; null, with an issue at `at`, where it leads nowhere. */
  resolve(path: string, at: string): FieldSchema | null {
    const found = resolvePath(this.#definitions, this.#collection.collection, path)
    if (!('problem' in found)) return found
    this.#report(found, path, at)
    return null
  }

  /** Makes a column of `path` for a relation or reference; null, with an issue at `at`, where none can serve it. */
  promote(path: string, at: string): FieldModel | null {
    const found = this.#column(path, at)
    if (found === null) return null
    if (found.kind === 'list') {
      this.#issues.error('wrong-kind', at, `\`${path}\` is of type array, which no relation or reference can read.`, {
        hint: 'Name a field that holds one value.',
      })
      return null
    }
    return this.#fields.get(path) ?? this.#add(path, found, { filters: [], index: true })
  }

  #query(path: string, options: QueryOptions): void {
    const at = `collections.${this.#collection.name}.queryable.${path}`
    const found = this.#column(path, at)
    if (found === null) return
    const refused = this.#refused(found, options)
    if (refused.length === 0) {
      const filters = filtersOf(found, options)
      this.#add(path, found, { filters, index: options.index ?? true })
    }
    for (const filter of refused) {
      const others = supportedFilters(found.kind).map((name) => `'${name}'`)
      const type = found.field.schema.type
      if (filter === 'range') {
        this.#issues.error('wrong-kind', at, `\`${path}\` is of type ${type}, which has no order.`, {
          hint: `Use \`{}\` to filter by equality.`,
        })
      } else {
        this.#issues.error(
          'wrong-kind',
          at,
          `\`${path}\` is of type ${type}; no index serves its filter \`${filter}\`.`,
          {
            hint: `Leave it out of \`filters\`; there are ${others.join(', ')}.`,
          },
        )
      }
    }
  }

  #refused({ kind }: FoundColumn, options: QueryOptions): FieldFilter[] {
    const wanted = new Set<FieldFilter>([
      ...(options.filters ?? []),
      ...(options.type === 'range' ? ['range' as const] : []),
    ])
    return [...wanted].filter((filter) => !supportedFilters(kind).includes(filter))
  }

  #column(path: string, at: string): FoundColumn | null {
    const field = this.resolve(path, at)
    if (field === null) return null
    const kind = kindOf(field.schema, this.#definitions, field.nsid)
    if (kind === null) {
      this.#issues.error('wrong-kind', at, `\`${path}\` is of type ${field.schema.type}, which no column can hold.`, {
        hint: this.#inside(path),
      })
      return null
    }
    const known = knownValues(field.schema, field.nsid)
    return {
      field,
      kind,
      // Records that are not held to their lexicon may lack anything.
      optional: field.optional || this.#collection.validate === 'off',
      free: field.schema.format === undefined && known.length === 0,
      knownValues: known,
    }
  }

  #add(path: string, found: FoundColumn, use: Pick<FieldModel, 'filters' | 'index'>): FieldModel {
    const { kind, optional, field } = found
    const names = fieldNames(path)
    const table = tableName(this.#collection.name)
    const model: FieldModel = {
      path,
      segments: path.split('.'),
      kind,
      ...use,
      optional,
      ...names,
      valuesTable: kind === 'list' ? valuesTable(table, names.column) : null,
      description: field.description,
      knownValues: found.knownValues,
    }
    this.#fields.set(path, model)
    return model
  }

  #report(found: PathProblem, path: string, at: string): void {
    const { collection } = this.#collection
    if (found.problem === 'unknown') {
      const where = found.parent === '' ? `\`${collection}\`` : `\`${found.parent}\` of \`${collection}\``
      const guess = didYouMean(found.segment, found.candidates)
      const prefix = found.parent === '' ? '' : `${found.parent}.`
      this.#issues.error('unknown-path', at, `${where} has no property \`${found.segment}\`.`, {
        hint: guess !== undefined ? `Did you mean \`${prefix}${guess}\`?` : `It has ${list(found.candidates)}.`,
      })
    } else if (found.problem === 'opaque') {
      this.#issues.error(
        'unknown-path',
        at,
        `\`${found.parent}\` is of type ${found.type}; \`${path}\` cannot go into it.`,
        {
          hint:
            found.type === 'union'
              ? `A union can be filtered by its type: \`${found.parent}.$type\`.`
              : this.#inside(''),
        },
      )
    } else {
      this.#issues.error(
        'unknown-path',
        at,
        `\`${found.parent}\` refers to \`${found.ref}\`, which no lexicon document defines.`,
        {
          hint: 'Add that document to one of the `lexicons` directories.',
        },
      )
    }
  }

  /** A hint that names what can be filtered below `path`. */
  #inside(path: string): string {
    const paths = recordPaths(this.#definitions, this.#collection.collection)
      .filter((p) => p.kind !== null && p.path.startsWith(path === '' ? '' : `${path}.`))
      .map((p) => p.path)
    return paths.length > 0 ? `Filter by ${list(paths)}.` : 'Strings, integers, booleans and CID links can be filtered.'
  }
}

/** What a path leads to, as far as a column cares. */
interface FoundColumn {
  readonly field: FieldSchema
  readonly kind: FieldKind
  readonly optional: boolean
  readonly free: boolean
  readonly knownValues: readonly string[]
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `\`${name}\``)
  return names.length > 8 ? `${shown.join(', ')} and ${names.length - 8} more` : shown.join(', ') || 'none'
}
