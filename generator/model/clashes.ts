import type { LexiconDoc } from '@atproto/lexicon'
import type { Issues } from '../input/issues.ts'
import { paramsOf } from './filters.ts'
import { hydrationsOf } from './hydration.ts'
import { camelCase, codeNames, counterName, isListParam, partitionName, queryConstant, upperFirst } from './names.ts'
import type { CollectionModel, Model } from './types.ts'

/** Refuses names that two things would share: tables, columns, parameters, outputs, methods. */
export function checkNames(model: Model, docs: readonly LexiconDoc[], issues: Issues): void {
  const tables = new Registry(issues, 'Rename one of the two collections.')
  const triggers = new Registry(issues, 'Rename the relation.')
  const nsids = new Map<string, string>()
  for (const collection of model.collections) {
    const at = `collections.${collection.name}`
    tables.claim(collection.table, at, `table \`${collection.table}\``)
    if (collection.search !== null)
      tables.claim(collection.search.table, at, `search table \`${collection.search.table}\``)
    for (const { path, valuesTable } of collection.fields)
      if (valuesTable !== null) tables.claim(valuesTable, `${at}.queryable.${path}`, `table \`${valuesTable}\``)
    for (let part = 0; part < (collection.partitions ?? 0); part++) {
      const name = partitionName(collection.table, part)
      tables.claim(name, `${at}.partitions`, `table \`${name}\``)
    }
    checkTriggers(collection, triggers)
    const twin = nsids.get(collection.nsid)
    if (twin === undefined) nsids.set(collection.nsid, collection.name)
    else {
      issues.error('name-clash', `${at}.collection`, `\`${collection.nsid}\` is indexed as \`${twin}\` already.`, {
        hint: 'Index each record type once; one collection may have several relations.',
      })
    }
    checkCode(collection, model, issues)
    checkColumns(collection, issues)
    checkParams(collection, model, issues)
  }
  checkMethods(model, docs, issues)
}

function checkTriggers(collection: CollectionModel, triggers: Registry): void {
  const at = `collections.${collection.name}`
  if (collection.search !== null)
    triggers.claim(collection.search.table, at, 'triggers', `the search of ${collection.name}`)
  for (const { path, valuesTable } of collection.fields)
    if (valuesTable !== null) triggers.claim(valuesTable, `${at}.queryable.${path}`, `triggers \`${valuesTable}_…\``)
  for (const relation of collection.relations.filter((r) => r.count)) {
    const name = counterName(collection.table, relation.name)
    triggers.claim(name, `${at}.relations.${relation.name}`, `triggers \`${name}_…\``)
  }
}

/** Short names that are something else in emitted TypeScript. */
function checkCode(collection: CollectionModel, model: Model, issues: Issues): void {
  const { constant } = codeNames(collection.name)
  const owner = model.collections.find(({ name, queries = [] }) =>
    [codeNames(name).list, codeNames(name).get, ...queries.map((query) => queryConstant(name, query.name))].includes(
      constant,
    ),
  )
  const other =
    collection.name === 'getCursor' ||
    collection.name === 'getOverview' ||
    (collection.name === 'notifyOfUpdate' && model.notify) ||
    (collection.name === 'getProfile' && model.profiles !== undefined)
      ? 'a method of every client'
      : owner && `a method of \`${owner.name}\` in emitted code`
  if (other === undefined) return
  issues.error('name-clash', `collections.${collection.name}`, `\`${collection.name}\` is the name of ${other}.`, {
    hint: 'Choose another short name.',
  })
}

function checkColumns(collection: CollectionModel, issues: Issues): void {
  const at = `collections.${collection.name}`
  const columns = new Registry(issues, 'Leave one of them out, or rename the relation.')
  for (const field of collection.fields)
    columns.claim(field.column, `${at}.queryable.${field.path}`, `column \`${field.column}\``)
  for (const count of collection.counts)
    columns.claim(count.column, `${at}.relations.${count.relation}`, `column \`${count.column}\``)
  const search = new Registry(issues, 'Leave one of them out.')
  for (const { column, path } of collection.search?.columns ?? []) {
    search.claim(column, `${at}.searchable`, `search column \`${column}\``, `${at}.searchable ${path}`)
  }
}

function checkParams(collection: CollectionModel, model: Model, issues: Issues): void {
  const at = `collections.${collection.name}`
  const params = new Registry(
    issues,
    'Leave one of them out, narrow the field by `filters`, or rename the relation or reference.',
  )
  for (const field of collection.fields) {
    const path = `${at}.queryable.${field.path}`
    for (const param of field.filters.flatMap((filter) => paramsOf(field.param, filter)))
      params.claim(param, path, `parameter \`${param}\``)
  }
  for (const count of collection.counts) {
    for (const param of [`${count.name}Min`, `${count.name}Max`])
      params.claim(param, `${at}.relations.${count.relation}`, `parameter \`${param}\``)
  }
  checkEveryList(collection, issues)
  const outputs = new Registry(issues, 'Rename one of them.')
  for (const name of ['uri', 'cid', 'value', 'did', 'collection', 'rkey', 'time_us'])
    outputs.claim(name, at, name, 'every record')
  if (model.profiles !== undefined) outputs.claim('profiles', at, 'profiles', 'every record')
  for (const count of collection.counts)
    outputs.claim(count.name, `${at}.relations.${count.relation}`, `output \`${count.name}\``)
  for (const [kind, entries] of [
    ['relations', collection.relations],
    ['references', collection.references],
  ] as const) {
    for (const entry of entries) {
      outputs.claim(entry.name, `${at}.${kind}.${entry.name}`, `output \`${entry.name}\``)
    }
  }
  // Those of the collection itself first: what is nested yields.
  const hydrations = hydrationsOf(collection, model)
  for (const { param, kind, name } of hydrations)
    params.claim(param, `${at}.${kind}s.${name}`, `parameter \`${param}\``)
  for (const { kind, name, target, inner } of hydrations) {
    for (const { param, name: of } of inner)
      params.claim(
        param,
        `${at}.${kind}s.${name}`,
        `parameter \`${param}\``,
        `${target.name}.${of} within ${at}.${kind}s.${name}`,
      )
  }
  for (const query of collection.queries ?? []) {
    if (query.kind !== 'list') continue
    for (const { name } of query.params ?? []) {
      if (isListParam(name) || params.has(name)) {
        const path = `${at}.pipelineQueries.${query.name}.params.${name}`
        issues.error('name-clash', path, `\`listRecords\` has a parameter \`${name}\` already.`, {
          hint: 'It narrows this list as well; choose another name for another meaning.',
        })
      }
    }
  }
  for (const relation of collection.relations) {
    if (relation.groups !== null && relation.name === 'view') {
      issues.error(
        'name-clash',
        `${at}.relations.view`,
        '`view` is what lexicons call every record that is returned.',
        {
          hint: 'Rename the relation.',
        },
      )
    }
    const groups = new Registry(issues, 'Rename one of the groups.')
    for (const group of relation.groups?.values ?? []) {
      const path = `${at}.relations.${relation.name}.groups.${group.name}`
      groups.claim(upperFirst(camelCase(group.name)), path, `group \`${group.name}\``)
    }
  }
}

/** Parameters and orders of every list that a field would take for something else. */
function checkEveryList(collection: CollectionModel, issues: Issues): void {
  for (const { param, path, kind, filters } of collection.fields) {
    if (!filters.includes('range')) continue
    const at = `collections.${collection.name}.queryable.${path}`
    const hint = { hint: 'Leave `range` out of its `filters`.' }
    // A field that is a time takes the place of that of every list.
    if ((param === 'createdAt' || param === 'indexedAt') && kind !== 'datetime') {
      issues.error('name-clash', at, `Every list has a parameter \`${param}Min\`, which is a time.`, hint)
    }
    if (param === 'relevance' && collection.search !== null) {
      issues.error('name-clash', at, 'Every search can be sorted by `relevance`.', hint)
    }
  }
}

function checkMethods(model: Model, docs: readonly LexiconDoc[], issues: Issues): void {
  const records = new Set<string>(docs.map((doc) => doc.id))
  for (const collection of model.collections) {
    for (const name of [...collection.methods, 'defs']) {
      const nsid = `${model.namespace}.${collection.name}.${name}`
      if (!records.has(nsid)) continue
      issues.error(
        'name-clash',
        'namespace',
        `The lexicon of \`${nsid}\` would clash with the document of that name.`,
        {
          hint: 'Choose another namespace, or another short name for the collection.',
        },
      )
    }
  }
}

class Registry {
  readonly #issues: Issues
  readonly #hint: string
  readonly #owners = new Map<string, string>()
  readonly #told = new Set<string>()

  constructor(issues: Issues, hint: string) {
    this.#issues = issues
    this.#hint = hint
  }

  has(name: string): boolean {
    return this.#owners.has(name.toLowerCase())
  }

  /** Claims `name` for `owner`; an issue where it is taken, once for any two. Case does not tell names apart. */
  claim(name: string, at: string, what: string, owner = at): void {
    const key = name.toLowerCase()
    const other = this.#owners.get(key)
    if (other === undefined) {
      this.#owners.set(key, owner)
      return
    }
    // Two that share one name often share several.
    const pair = `${other} ${owner}`
    if (this.#told.has(pair)) return
    this.#told.add(pair)
    this.#issues.error('name-clash', at, `Both ${other} and ${owner} would have the ${what}.`, { hint: this.#hint })
  }
}
