import type { CollectionModel, FieldKind, FieldModel } from '../model/types.ts'
import { render } from '../print/handlebars.ts'
import { symbols } from '../print/imports.ts'
import type { Artifact } from './artifact.ts'
import { doc, key, sentences } from './code.ts'
import { emitNames, titleOf } from './names.ts'

const TYPES: Readonly<Record<FieldKind, string>> = {
  text: 'string | null',
  cid: 'string | null',
  integer: 'number | null',
  boolean: 'number | null',
  datetime: 'number | null',
  list: 'string | null',
}

/** `tables.ts`: the Kysely interface of the database. */
export const tables: Artifact = {
  emit: ({ model }) => [
    {
      kind: 'typescript',
      path: 'tables.ts',
      body: render('tables', {
        keys: [
          ...model.collections.map((collection) => `${key(collection.table)}: ${emitNames(collection).table}`),
          ...(model.rest ? ['lexidex_author: AuthorTable'] : []),
        ],
        tables: model.collections.map((collection) => ({
          type: emitNames(collection).table,
          doc: doc(sentences(titleOf(collection))),
          columns: [...collection.fields.map(fieldColumn), ...countColumns(collection)],
        })),
        lists: model.collections.flatMap(listTables),
      }),
      imports: symbols(
        'lexidex/runtime',
        [],
        ['AuthorTable', 'BookkeepingTables', 'Generated', 'ListValues', 'RecordColumns'],
      ),
    },
  ],
}

const UNITS: Partial<Record<FieldKind, string>> = {
  datetime: 'In µs since 1970',
  boolean: '0 or 1',
  list: 'A JSON array, each value once',
}

function listTables({ table, fields }: CollectionModel) {
  return fields.flatMap(({ path, valuesTable }) =>
    valuesTable === null
      ? []
      : [
          {
            key: key(valuesTable),
            doc: doc(`Each value of \`${path}\` of each row of \`${table}\`, kept by triggers.`, '  '),
          },
        ],
  )
}

function fieldColumn(field: FieldModel) {
  const unit = UNITS[field.kind] ?? ''
  const title = field.description === '' ? `\`${field.path}\`` : `\`${field.path}\`: ${field.description}`
  return { key: key(field.column), type: TYPES[field.kind], doc: doc(sentences(title, unit), '  ') }
}

function countColumns(collection: CollectionModel) {
  return collection.counts.map((count) => ({
    key: key(count.column),
    type: 'Generated<number>',
    doc: doc(countDoc(collection, count.name), '  '),
  }))
}

/** What a count counts, in a sentence. */
export function countDoc(collection: CollectionModel, name: string): string {
  const count = collection.counts.find((c) => c.name === name)!
  const relation = collection.relations.find((r) => r.name === count.relation)!
  const what = relation.distinct === null ? 'Records' : `Distinct \`${relation.distinct}\``
  const group = relation.groups?.values.find((value) => value.name === count.group)
  const suffix = group === undefined ? '' : `, with \`${relation.groups!.path}\` \`${group.value}\``
  return sentences(`${what} of \`${relation.collection}\` that point here${suffix}`)
}
