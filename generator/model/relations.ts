import type { ResolvedCollection, ResolvedRelation } from '../input/config.ts'
import { didYouMean, type Issues } from '../input/issues.ts'
import type { Definitions } from './fields.ts'
import { camelCase, countName, hydrateParam, identifier, snakeCase, tableName } from './names.ts'
import type { PromotedFields } from './promote.ts'
import type { CountModel, FieldModel, GroupsModel, ReferenceModel, RelationModel } from './types.ts'

export interface RelationContext {
  readonly config: ReadonlyMap<string, ResolvedCollection>
  readonly promoted: ReadonlyMap<string, PromotedFields>
  readonly definitions: Definitions
  readonly issues: Issues
}

/** Relations of one collection, sorted by name. */
export function buildRelations(parent: ResolvedCollection, context: RelationContext): RelationModel[] {
  const relations: RelationModel[] = []
  for (const [name, relation] of Object.entries(parent.relations)) {
    const at = `collections.${parent.name}.relations.${name}`
    const child = context.promoted.get(relation.collection)
    if (child === undefined) {
      unknownCollection(relation.collection, `${at}.collection`, context)
      continue
    }
    const field = child.promote(relation.field, `${at}.field`)
    if (field === null) continue
    if (!isPointer(field, `${at}.field`, context.issues)) continue
    checkMatch(relation, child.peek(relation.field)?.schema.format, at, context.issues)
    relations.push({
      name,
      collection: relation.collection,
      childTable: tableName(relation.collection),
      column: field.column,
      match: relation.match,
      groups:
        relation.groupBy === undefined ? null : buildGroups(relation.groupBy, relation.groups, child, at, context),
      count: relation.count,
      distinct: relation.countDistinct === undefined ? null : distinctColumn(relation.countDistinct, child, at),
      hydrateParam: hydrateParam(name),
    })
  }
  return relations.sort(byName)
}

function buildGroups(
  groupBy: string,
  configured: Readonly<Record<string, string>> | undefined,
  child: PromotedFields,
  at: string,
  { issues }: RelationContext,
): GroupsModel | null {
  const field = child.promote(groupBy, `${at}.groupBy`)
  if (field === null || !isText(field, `${at}.groupBy`, 'Children are grouped by a string.', issues)) return null
  const groups = configured ?? Object.fromEntries(field.knownValues.map((value) => [shortToken(value), value]))
  if (Object.keys(groups).length === 0) {
    issues.error('no-groups', `${at}.groupBy`, `\`${groupBy}\` has no known values to group by.`, {
      hint: 'Name the groups: `groups: { short: "value", … }`.',
    })
  }
  for (const [name, value] of Object.entries(groups)) {
    if (field.knownValues.length > 0 && !field.knownValues.includes(value)) {
      const guess = field.knownValues.find((known) => known.endsWith(value)) ?? didYouMean(value, field.knownValues)
      issues.warn('unmatched-group', `${at}.groups.${name}`, `\`${value}\` is no known value of \`${groupBy}\`.`, {
        hint: guess === undefined ? `Known are ${field.knownValues.join(', ')}.` : `Did you mean \`${guess}\`?`,
      })
    }
  }
  const values = Object.entries(groups).map(([name, value]) => ({ name, value }))
  return { path: groupBy, column: field.column, values: values.sort(byName) }
}

/** `community.lexicon.calendar.rsvp#going` → `going`, `app.example.mode` → `mode`. */
function shortToken(value: string): string {
  return camelCase(value.split('#').at(-1)!.split('.').at(-1)!)
}

function distinctColumn(distinct: string, child: PromotedFields, at: string): string | null {
  if (distinct === 'did') return 'did'
  return child.promote(distinct, `${at}.countDistinct`)?.column ?? null
}

/** The counts that a relation keeps: all of its children, then each group. */
export function countsOf(relation: RelationModel): CountModel[] {
  if (!relation.count) return []
  const groups = [null, ...(relation.groups?.values.map((group) => group.name) ?? [])]
  return groups.map((group) => {
    const name = countName(relation.name, group)
    return { name, column: identifier(snakeCase(name)), relation: relation.name, group }
  })
}

/** References of one collection, sorted by name. */
export function buildReferences(from: ResolvedCollection, context: RelationContext): ReferenceModel[] {
  const references: ReferenceModel[] = []
  for (const [name, reference] of Object.entries(from.references)) {
    const at = `collections.${from.name}.references.${name}`
    if (!context.config.has(reference.collection)) {
      unknownCollection(reference.collection, `${at}.collection`, context)
      continue
    }
    const fields = context.promoted.get(from.name)!
    const field = fields.promote(reference.field, `${at}.field`)
    if (field === null || !isPointer(field, `${at}.field`, context.issues)) continue
    const format = fields.peek(reference.field)?.schema.format
    references.push({
      name,
      collection: reference.collection,
      column: field.column,
      match: format === 'did' ? 'did' : 'uri',
      hydrateParam: hydrateParam(name),
    })
  }
  return references.sort(byName)
}

/** Whether a field can hold the URI of a record or a DID; an issue at `at` where it cannot. */
export function isPointer(field: FieldModel, at: string, issues: Issues): boolean {
  return isText(field, at, 'Name a field that holds the URI of a record or a DID, for example `subject.uri`.', issues)
}

function isText(field: FieldModel, at: string, hint: string, issues: Issues): boolean {
  if (field.kind === 'text') return true
  issues.error('wrong-kind', at, `\`${field.path}\` is of kind ${field.kind}.`, { hint })
  return false
}

/** A pointer that is compared with what it never holds would leave every count at 0. */
function checkMatch({ field, match }: ResolvedRelation, format: unknown, at: string, issues: Issues): void {
  const held = format === 'did' ? 'did' : format === 'at-uri' ? 'uri' : match
  if (held === match) return
  issues.error('wrong-match', `${at}.match`, `\`${field}\` is a string of format ${format}; it matches no ${match}.`, {
    hint: `Use \`match: '${held}'\`.`,
  })
}

function unknownCollection(name: string, at: string, { config, issues }: RelationContext): void {
  const names = [...config.keys()]
  const guess = didYouMean(name, names)
  issues.error('unknown-collection', at, `There is no collection \`${name}\`.`, {
    hint: guess !== undefined ? `Did you mean \`${guess}\`?` : `Short names are ${names.join(', ')}.`,
  })
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
