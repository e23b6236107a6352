import type { CollectionModel, FieldModel, Model, RelationModel } from '../model/types.ts'
import type { Draft } from '../print/files.ts'
import { render } from '../print/handlebars.ts'
import { symbols } from '../print/imports.ts'
import type { Artifact, EmitContext } from './artifact.ts'
import { access, doc, key, object, quote } from './code.ts'
import { hydrateParams } from './hydrate-params.ts'
import { emitNames, recordImport, titleOf } from './names.ts'
import type { ParamView } from './param-view.ts'
import { listParamsOf, sortsOf } from './params.ts'
import { queryViews } from './queries.ts'

const RUNTIME = symbols('lexidex/runtime', [
  ...['boolean', 'cid', 'datetime', 'integer', 'strings', 'text'],
  ...['defineCollection', 'defineCustomQuery', 'defineGet', 'defineList', 'defineNarrowedList', 'z'],
  ...['booleanParam', 'count', 'datetimeParam', 'flag', 'getParams', 'hydrateLimit', 'integerParam', 'listParams'],
  ...['many', 'prefixParam', 'search'],
])

/** `collections/<name>.ts`: the collection, its parameters and its methods. */
export const collections: Artifact = {
  emit: (context) => context.model.collections.map((collection) => emitCollection(collection, context)),
}

function emitCollection(collection: CollectionModel, { model, configImport }: EmitContext): Draft {
  const names = emitNames(collection)
  return {
    kind: 'typescript',
    path: `collections/${collection.name}.ts`,
    body: render('collection', {
      names,
      doc: doc(titleOf(collection)),
      properties: collectionProperties(collection),
      methods: collection.methods.map((method) =>
        method === 'listRecords' ? listMethod(collection, model) : getMethod(collection, model),
      ),
      queries: queryViews(collection, model),
    }),
    imports: [
      ...RUNTIME,
      recordImport(collection, 1),
      { from: configImport('collections'), name: 'default', as: 'config' },
      { from: '../tables.js', name: names.table, type: true },
    ],
  }
}

function collectionProperties(collection: CollectionModel): { key: string; value: string }[] {
  const properties: [string, string | null][] = [
    ['name', quote(collection.name)],
    ['nsid', quote(collection.nsid)],
    ['table', quote(collection.table)],
    ['searchTable', collection.search === null ? null : quote(collection.search.table)],
    ['time', collection.time === null ? null : `(r) => ${access('r', collection.time.segments)}`],
    ['columns', object(collection.fields.map(column), '  ')],
    [
      'counts',
      object(
        collection.counts.map((c) => `${key(c.name)}: ${quote(c.column)}`),
        '  ',
      ),
    ],
    ['relations', object(collection.relations.map(relation), '  ')],
    ['references', object(collection.references.map(reference), '  ')],
    ['validate', quote(collection.validate)],
    ['discover', String(collection.discover)],
    ['partitions', collection.partitions === undefined ? null : String(collection.partitions)],
    ['subjectColumn', collection.subjectColumn === null ? null : quote(collection.subjectColumn)],
    ['recordFilter', collection.recordFilter ? `config.collections[${quote(collection.name)}]?.recordFilter` : null],
  ]
  return properties.flatMap(([name, value]) => (value === null ? [] : [{ key: name, value }]))
}

function column(field: FieldModel): string {
  const read = `(r) => ${access('r', field.segments)}`
  const value = field.valuesTable === null ? `${field.kind}(${read})` : `strings(${quote(field.valuesTable)}, ${read})`
  return `${key(field.column)}: ${value}`
}

function relation(relation: RelationModel): string {
  const groups =
    relation.groups === null
      ? []
      : [
          `groups: ${object(
            [
              `column: ${quote(relation.groups.column)}`,
              `values: ${object(
                relation.groups.values.map(({ name, value }) => `${key(name)}: ${quote(value)}`),
                '        ',
              )}`,
            ],
            '      ',
          )}`,
        ]
  const entries = [
    `collection: ${quote(relation.collection)}`,
    `column: ${quote(relation.column)}`,
    `match: ${quote(relation.match)}`,
    ...groups,
  ]
  return `${key(relation.name)}: ${object(entries, '    ')}`
}

function reference({ name, collection, column, match }: CollectionModel['references'][number]): string {
  return `${key(name)}: { collection: ${quote(collection)}, column: ${quote(column)}, match: ${quote(match)} }`
}

function listMethod(collection: CollectionModel, model: Model) {
  const names = emitNames(collection)
  const params = listParamsOf(collection, model)
  const sorts = sortsOf(collection).map((sort) => `${key(sort.name)}: ${quote(sort.column)}`)
  return {
    nsid: `${model.namespace}.${collection.name}.listRecords`,
    constant: names.list,
    params: names.listParams,
    define: `defineList<${names.table}>()`,
    base: 'listParams',
    fields: params.map(paramField),
    properties: [
      { key: 'filters', value: object(params.flatMap(filterEntry), '  ') },
      { key: 'sorts', value: object(sorts, '  ') },
    ],
  }
}

function filterEntry({ name, filter }: ParamView): string[] {
  return filter === null ? [] : [`${key(name)}: ${filter}`]
}

function getMethod(collection: CollectionModel, model: Model) {
  const names = emitNames(collection)
  return {
    nsid: `${model.namespace}.${collection.name}.getRecord`,
    constant: names.get,
    params: names.getParams,
    define: 'defineGet',
    base: 'getParams',
    fields: hydrateParams(collection, model).map(paramField),
    properties: [],
  }
}

function paramField(param: ParamView) {
  return { key: param.name, doc: doc(param.description, '  '), schema: param.schema }
}
