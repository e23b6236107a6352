/** What surrounds every place: who this is, how the stream is, where one can go. */
import { type Child, fill, h, liveRegion } from './dom.ts'
import { number } from './format.ts'
import { type IndexInfo, placeOfMethod } from './index-info.ts'
import type { Method } from './lexicon.ts'
import { formatPlace } from './place.ts'
import { onStatus } from './status.ts'
import { streamState } from './stream-state.ts'
import { themeButton } from './theme.ts'

export interface Shell {
  readonly element: HTMLElement
  readonly main: HTMLElement
  /** Marks where one is. */
  mark(view: string): void
}

export function createShell(index: IndexInfo): Shell {
  const main = h('main', { id: 'main', tabindex: -1 })
  const links: { view: string; link: HTMLElement }[] = []
  const link = (view: string, href: string, label: Child, extra?: HTMLElement) => {
    const element = h('a', { href }, label, extra)
    links.push({ view, link: element })
    return h('li', null, element)
  }
  const methodLink = (method: Method, label: Child, extra?: HTMLElement) =>
    link(method.id, placeOfMethod(method), label, extra)
  const count = (className = 'nav-count') => h('span', { class: className })
  const refused = count('nav-count warn')
  const counts = new Map<string, HTMLElement>()
  const groups = groupsOf(index)

  const nav = h(
    'nav',
    { 'aria-label': 'Places' },
    h('ul', null, link('', formatPlace({ view: '' }), 'Overview')),
    groups.collections.map(([name, methods]) => {
      const slot = count()
      counts.set(name, slot)
      const [first, ...rest] = methods
      return h(
        'ul',
        { 'aria-label': name },
        methodLink(first!, name, slot),
        rest.map((method) =>
          methodLink(
            method,
            h('span', null, h('span', { class: 'nav-of' }, `${name}.`), method.id.slice(name.length + 1)),
          ),
        ),
      )
    }),
    groups.others.length > 0 && [
      h('h2', null, 'Of the index'),
      h(
        'ul',
        null,
        groups.others.map((method) => methodLink(method, method.id)),
      ),
    ],
    h('h2', null, 'For operators'),
    h('ul', null, link('quarantine', formatPlace({ view: 'quarantine' }), 'Quarantine', refused)),
  )

  const pill = h('a', { class: 'pill', href: formatPlace({ view: '' }) })
  onStatus((status, error) => {
    const { text, detail, tone } =
      error === null ? streamState(status) : { text: 'No answer', detail: error.message, tone: 'bad' }
    pill.dataset.tone = tone
    if (detail === '') pill.removeAttribute('title')
    else pill.title = detail
    fill(pill, h('i', { 'aria-hidden': 'true' }), h('span', { class: 'visually-hidden' }, 'Stream: '), text)
    for (const { name, records } of status.collections) {
      const slot = counts.get(name)
      if (slot !== undefined) slot.textContent = number(records)
    }
    refused.textContent = status.quarantined > 0 ? number(status.quarantined) : ''
  })

  const element = h(
    'div',
    { class: 'shell' },
    h(
      'header',
      { class: 'top' },
      h(
        'a',
        { class: 'brand', href: formatPlace({ view: '' }) },
        h('span', { class: 'mark', 'aria-hidden': 'true' }),
        h('span', { class: 'brand-name' }, 'lexidex'),
      ),
      h('span', { class: 'namespace' }, index.namespace),
      pill,
      themeButton(),
    ),
    nav,
    main,
    liveRegion(),
  )
  return {
    element,
    main,
    mark(view) {
      for (const { view: own, link } of links) {
        if (own === view) link.setAttribute('aria-current', 'page')
        else link.removeAttribute('aria-current')
      }
      // On a phone the places are one line that scrolls.
      nav.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
    },
  }
}

/** Methods by collection, `listRecords` first; then those of the index as a whole. */
export function groupsOf({ methods, collections }: IndexInfo): {
  readonly collections: readonly (readonly [string, readonly Method[]])[]
  readonly others: readonly Method[]
} {
  const names = new Set(collections.values())
  const grouped = [...names]
    .map(
      (name) =>
        [
          name,
          methods.filter((method) => method.collection === name).sort((a, b) => Number(b.isList) - Number(a.isList)),
        ] as const,
    )
    .filter(([, own]) => own.length > 0)
  return {
    collections: grouped,
    others: methods.filter(({ collection }) => collection === null || !names.has(collection)),
  }
}
