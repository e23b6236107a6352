import type { ResolvedCollection } from '../input/config.ts'
import { didYouMean, type Issues } from '../input/issues.ts'
import {
  type Definitions,
  type FieldSchema,
  isRangeable,
  kindOf,
  knownValues,
  type PathProblem,
  recordPaths,
  resolvePath,
} from './fields.ts'
import { fieldNames } from './names.ts'
import type { FieldFilter, FieldModel } from './types.ts'

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
    for (const [path, options] of Object.entries(collection.queryable)) {
      this.promote(
        path,
        options.type === 'range' ? 'range' : 'equal',
        `collections.${collection.name}.queryable.${path}`,
      )
    }
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

  /** Makes a column of `path`; null, with an issue at `at`, where none can serve it. */
  promote(path: string, filter: FieldFilter, at: string): FieldModel | null {
    const field = this.resolve(path, at)
    if (field === null) return null
    const kind = kindOf(field.schema)
    if (kind === null) {
      this.#issues.error('wrong-kind', at, `\`${path}\` is of type ${field.schema.type}, which no column can hold.`, {
        hint: this.#inside(path),
      })
      return null
    }
    if (filter === 'range' && !isRangeable(kind)) {
      this.#issues.error('wrong-kind', at, `\`${path}\` is of type ${field.schema.type}, which has no order.`, {
        hint: 'Use `{}` to filter by equality.',
      })
      return null
    }
    const known = this.#fields.get(path)
    if (known !== undefined && (filter === 'none' || known.filter === filter)) return known
    const names = fieldNames(path)
    const model: FieldModel = {
      path,
      segments: path.split('.'),
      kind,
      filter,
      ...names,
      description: field.description,
      knownValues: knownValues(field.schema, field.nsid),
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

function list(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `\`${name}\``)
  return names.length > 8 ? `${shown.join(', ')} and ${names.length - 8} more` : shown.join(', ') || 'none'
}
