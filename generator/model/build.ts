import type { LexiconDoc } from '@atproto/lexicon'
import type { ResolvedCollection, ResolvedConfig } from '../input/config.ts'
import { didYouMean, type Issues } from '../input/issues.ts'
import { checkNames } from './clashes.ts'
import { Definitions, isSearchable, type Schema } from './fields.ts'
import { fieldNames, identifier, tableName } from './names.ts'
import { permissionSet } from './permissions.ts'
import { PromotedFields } from './promote.ts'
import { buildReferences, buildRelations, countsOf, isPointer } from './relations.ts'
import type { CollectionModel, Model, PathModel, SearchModel } from './types.ts'

/**
 * Understands lexicons and config together. What does not fit becomes an issue with the config's path;
 * the model that is returned then leaves it out, so that all problems are found in one run.
 *
 * @param docs every lexicon document that the collections reach
 */
export function buildModel(docs: readonly LexiconDoc[], config: ResolvedConfig, issues: Issues): Model {
  const definitions = new Definitions(docs)
  const known = config.collections.filter((collection) => hasRecord(collection, definitions, issues))
  const byName = new Map(known.map((collection) => [collection.name, collection]))
  const promoted = new Map(
    known.map((collection) => [collection.name, new PromotedFields(collection, definitions, issues)]),
  )
  const context = { config: byName, promoted, definitions, issues }

  // Relations promote fields of other collections, so all of them come before any collection is complete.
  const relations = new Map(known.map((c) => [c.name, buildRelations(c, context)]))
  const references = new Map(known.map((c) => [c.name, buildReferences(c, context)]))
  const subjects = new Map(known.map((c) => [c.name, subjectColumn(c, promoted.get(c.name)!, issues)]))

  const collections = known.map((collection): CollectionModel => {
    const record = definitions.record(collection.collection)!
    return {
      name: collection.name,
      nsid: collection.collection,
      key: record.key ?? 'any',
      description: record.description ?? '',
      table: tableName(collection.name),
      fields: promoted.get(collection.name)!.fields(),
      time: timePath(collection, promoted.get(collection.name)!, issues),
      search: searchOf(collection, promoted.get(collection.name)!, definitions, issues),
      counts: relations.get(collection.name)!.flatMap(countsOf),
      relations: relations.get(collection.name)!,
      references: references.get(collection.name)!,
      methods: collection.methods,
      validate: collection.validate,
      discover: collection.discover,
      subjectColumn: subjects.get(collection.name)!,
      recordFilter: collection.recordFilter !== undefined,
      ...(collection.partitions === undefined ? {} : { partitions: collection.partitions }),
      ...(collection.queries.length === 0 ? {} : { queries: collection.queries }),
    }
  })
  const { namespace, jetstreams, relays, plc, allowHosts, notify } = config
  const repos = config.repos.length === 0 ? {} : { repos: config.repos }
  const logger = config.logger !== undefined
  const profiles = config.profiles
    .filter(({ name }) => byName.has(name))
    .map(({ name, rkey }) => ({ collection: name, rkey }))
  const model: Model = {
    namespace,
    collections,
    ...(profiles.length === 0 ? {} : { profiles }),
    jetstreams,
    relays,
    plc,
    allowHosts,
    ...repos,
    logger,
    notify,
    ...(config.rest && { rest: true as const }),
    ...(config.permissionSet !== null && { permissionSet: permissionSet(config, known, issues) }),
  }
  checkNames(model, docs, issues)
  return model
}

function hasRecord(collection: ResolvedCollection, definitions: Definitions, issues: Issues): boolean {
  if (definitions.record(collection.collection) !== null) return true
  const path = `collections.${collection.name}.collection`
  const other = definitions.resolve(collection.collection, collection.collection)
  if (other !== null) {
    issues.error('not-a-record', path, `\`${collection.collection}\` is of type ${other.schema.type}.`, {
      hint: 'Only records can be indexed.',
    })
  } else if (definitions.has(collection.collection)) {
    issues.error('not-a-record', path, `The document \`${collection.collection}\` has no definition \`main\`.`, {
      hint: 'Only records can be indexed; they are the `main` definition of their document.',
    })
  } else {
    issues.error('unknown-lexicon', path, `No lexicon document defines \`${collection.collection}\`.`, {
      hint: hintFor(collection.collection, definitions),
    })
  }
  return false
}

function hintFor(unknown: string, definitions: Definitions): string {
  const guess = didYouMean(unknown, definitions.records())
  return guess === undefined
    ? `Fetch it (\`npx lexidex lexicons pull ${unknown}\`), put its JSON into one of the \`lexicons\` directories, or correct the NSID.`
    : `Did you mean \`${guess}\`?`
}

function timePath(collection: ResolvedCollection, fields: PromotedFields, issues: Issues): PathModel | null {
  if (collection.timeField === false) return null
  const path = collection.timeField ?? 'createdAt'
  // The default is a guess: a record without `createdAt` is ordered by its key's or revision's time.
  const field =
    collection.timeField === undefined
      ? fields.peek(path)
      : fields.resolve(path, `collections.${collection.name}.timeField`)
  if (field === null) return null
  if (field.schema.type !== 'string') {
    if (collection.timeField !== undefined) {
      issues.error(
        'wrong-kind',
        `collections.${collection.name}.timeField`,
        `\`${path}\` is of type ${field.schema.type}.`,
        { hint: 'A time field is a string of format datetime.' },
      )
    }
    return null
  }
  return { path, segments: path.split('.') }
}

function subjectColumn(collection: ResolvedCollection, fields: PromotedFields, issues: Issues): string | null {
  if (collection.subjectField === undefined) return null
  const at = `collections.${collection.name}.subjectField`
  const field = fields.promote(collection.subjectField, at)
  return field !== null && isPointer(field, at, issues) ? field.column : null
}

function searchOf(
  collection: ResolvedCollection,
  fields: PromotedFields,
  definitions: Definitions,
  issues: Issues,
): SearchModel | null {
  const table = identifier(tableName(collection.name), 'search')
  const columns: (PathModel & { column: string })[] = []
  for (const [i, path] of collection.searchable.entries()) {
    const at = `collections.${collection.name}.searchable.${i}`
    const field = fields.resolve(path, at)
    if (field === null) continue
    if (!isSearchable(field.schema as Schema, definitions, field.nsid)) {
      issues.error('wrong-kind', at, `\`${path}\` is ${describe(field.schema)} and holds no words to search.`, {
        hint: 'Search strings, or arrays of strings.',
      })
      continue
    }
    const { column } = fieldNames(path)
    // FTS5 has a hidden column that is called like its table.
    columns.push({ path, segments: path.split('.'), column: column === table ? identifier('value', column) : column })
  }
  return columns.length === 0 ? null : { table, columns }
}

function describe(schema: Schema): string {
  if (schema.type === 'string' && schema.format !== undefined) return `a string of format ${schema.format}`
  return `of type ${schema.type}`
}
