/** A record as a card: what it is, whose, when, what points at it. */
import { copyButton } from './copy.ts'
import { bdi, h } from './dom.ts'
import { ago, counted, fullDate, date as localDate, number, shortDid, words } from './format.ts'
import { type IndexInfo, placeOfAccount, placeOfRecord } from './index-info.ts'
import { jsonTree } from './json-tree.ts'
import { type Fact, summarize } from './summary.ts'

/** Handles and names of accounts, by DID. */
export type People = ReadonlyMap<string, { readonly handle?: string | undefined; readonly name?: string | undefined }>

/** Children that are shown of one group. */
const MOST_CHILDREN = 10

const OWN = new Set(['uri', 'cid', 'value', 'did', 'collection', 'rkey', 'time_us'])

/** @param view A record as the index returns it; nothing of it is relied upon. */
export function recordCard(index: IndexInfo, view: any, people: People): HTMLElement {
  const { title, text, facts, left } = summarize(view.value, String(view.rkey))
  const uri = String(view.uri)
  const place = placeOfRecord(index, uri)
  const embedded = embeddedOf(view)
  const embeddedUris = new Set(embedded.flatMap(({ views }) => views.map((one) => one.uri)))
  // What a record points at is shown once.
  const own = facts.filter(({ kind, value }) => kind !== 'record' || !embeddedUris.has(value))
  const json = h('details', { class: 'card-json' })
  json.append(h('summary', null, left > 0 ? `JSON, with ${counted(left, 'more field')}` : 'JSON'))
  json.addEventListener('toggle', () => {
    if (json.open && json.children.length === 1) {
      json.append(
        h(
          'div',
          { class: 'card-tree' },
          jsonTree(view, 2),
          copyButton(() => JSON.stringify(view, null, 2), 'Copy', 'JSON'),
        ),
      )
    }
  })
  return h(
    'article',
    { class: 'card' },
    h(
      'header',
      null,
      h('h3', null, place === null ? bdi(title) : h('a', { href: place }, bdi(title))),
      byline(index, view, people),
    ),
    text !== '' && h('p', { class: 'card-text', dir: 'auto' }, text),
    own.length > 0 &&
      h(
        'dl',
        { class: 'facts' },
        own.map((fact) => factRow(index, fact)),
      ),
    countsOf(view),
    embedded.map(({ name, views }) => embeddedGroup(index, name, views, people)),
    h(
      'footer',
      null,
      json,
      copyButton(() => uri, 'Copy URI', `of ${title}`),
    ),
  )
}

function byline(index: IndexInfo, view: any, people: People): HTMLElement {
  const did = String(view.did)
  const person = people.get(did)
  const shown = person?.handle ?? shortDid(did)
  const place = placeOfAccount(index, did, String(view.collection))
  const author = place === null ? bdi(shown) : h('a', { href: place, title: `Everything by ${did}` }, bdi(shown))
  return h('p', { class: 'byline' }, person?.name && [bdi(person.name), ' · '], author, ' · ', timeOf(view.time_us))
}

function timeOf(timeUs: unknown): HTMLElement | string {
  const ms = Number(timeUs) / 1000
  // Further from 1970 there are no dates.
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return 'no date'
  return h('time', { datetime: new Date(ms).toISOString(), title: fullDate(ms) }, ago(ms))
}

function factRow(index: IndexInfo, { name, kind, value }: Fact): HTMLElement {
  return h('div', null, h('dt', { title: name }, words(name)), h('dd', null, factValue(index, kind, value)))
}

function factValue(index: IndexInfo, kind: Fact['kind'], value: string): HTMLElement {
  if (kind === 'time') {
    const ms = Date.parse(value)
    return h('time', { datetime: value, title: `${value}, ${ago(ms)}` }, localDate(ms))
  }
  if (kind === 'record') {
    const place = placeOfRecord(index, value)
    const [, , did = '', collection = ''] = value.split('/')
    const shown = index.collections.get(collection) ?? collection
    const label = bdi(`${shown} of ${shortDid(did)}`)
    return place === null ? h('span', { title: value }, label) : h('a', { href: place, title: value }, label)
  }
  return bdi(kind === 'number' ? number(Number(value)) : value)
}

function countsOf(view: any): HTMLElement | null {
  const counts = Object.entries(view).filter(([name, value]) => name.endsWith('Count') && typeof value === 'number')
  if (counts.length === 0) return null
  const chip = ([name, value]: [string, unknown]) =>
    h(
      'li',
      { class: 'count', title: name },
      h('b', null, number(value as number)),
      ` ${words(name.slice(0, -'Count'.length))}`,
    )
  return h('ul', { class: 'counts', 'aria-label': 'Counts' }, counts.map(chip))
}

interface Embedded {
  readonly name: string
  readonly views: readonly any[]
}

/** Records inside of a record: a list, a list for each group, or the one that it points at. */
function embeddedOf(view: any): Embedded[] {
  return Object.entries<any>(view).flatMap(([name, value]): Embedded[] => {
    if (OWN.has(name) || typeof value !== 'object' || value === null) return []
    if (Array.isArray(value)) return isViews(value) ? [{ name, views: value }] : []
    if (isView(value)) return [{ name, views: [value] }]
    return Object.entries(value).flatMap(([group, views]) =>
      Array.isArray(views) && isViews(views) ? [{ name: `${name}: ${group}`, views }] : [],
    )
  })
}

function isViews(values: readonly unknown[]): boolean {
  return values.length > 0 && values.every(isView)
}

function isView(value: any): boolean {
  return typeof value === 'object' && value !== null && typeof value.uri === 'string' && 'value' in value
}

function embeddedGroup(index: IndexInfo, name: string, views: readonly any[], people: People): HTMLElement {
  const left = views.length - MOST_CHILDREN
  return h(
    'section',
    { class: 'embedded' },
    h('h4', null, name.includes(': ') ? name : words(name)),
    h(
      'ul',
      null,
      views.slice(0, MOST_CHILDREN).map((view) => h('li', null, embeddedLine(index, view, people))),
      left > 0 && h('li', { class: 'quiet' }, `and ${left} more`),
    ),
  )
}

function embeddedLine(index: IndexInfo, view: any, people: People): HTMLElement {
  const { title } = summarize(view.value, String(view.rkey))
  const place = placeOfRecord(index, String(view.uri))
  return h(
    'div',
    { class: 'line' },
    h('span', { class: 'line-title' }, place === null ? bdi(title) : h('a', { href: place }, bdi(title))),
    byline(index, view, people),
    embeddedOf(view).map(({ name, views }) => nested(index, name, views)),
  )
}

/** What a record inside of a record holds in turn: the one that it points at, or how many point at it. */
function nested(index: IndexInfo, name: string, views: readonly any[]): HTMLElement {
  const [view] = views
  if (views.length > 1) return h('span', { class: 'quiet' }, `${words(name)}: ${views.length}`)
  const { title } = summarize(view.value, String(view.rkey))
  const place = placeOfRecord(index, String(view.uri))
  return h(
    'span',
    { class: 'quiet' },
    `${words(name)}: `,
    place === null ? bdi(title) : h('a', { href: place }, bdi(title)),
  )
}
