/** Records that were refused: which, why, and another try. */
import { CallError, get } from './api.ts'
import { copyButton } from './copy.ts'
import { announce, bdi, fill, h } from './dom.ts'
import { ago, counted, fullDate, shortDid } from './format.ts'
import type { IndexInfo } from './index-info.ts'
import { jsonTree } from './json-tree.ts'
import { formatPlace, goTo, type Place, queryString } from './place.ts'
import { showError, showLoading } from './results.ts'
import { askForSecret, secret } from './secret.ts'
import { refreshStatus } from './status.ts'

interface Refused {
  readonly uri: string
  readonly did: string
  readonly collection: string
  readonly rev: string
  readonly reason: string
  /** ISO 8601 */
  readonly quarantinedAt: string
  /** JSON text; null where it is too long to be shown. */
  readonly record: string | null
}

/** @param signal Aborted when another place is shown */
export function quarantinePage(index: IndexInfo, place: Place, signal: AbortSignal): HTMLElement {
  const path = `xrpc/${index.namespace}.admin.quarantine`
  const value = (name: string) => place.params.find(([given]) => given === name)?.[1]
  const collection = value('collection')
  const list = h('div', { class: 'results', 'aria-label': 'Refused records', role: 'region' })
  const message = h('div')

  async function load(): Promise<void> {
    showLoading(list)
    try {
      const { records, cursor } = await get(path + queryString(place.params), { secret: secret(), signal })
      show(records, cursor)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof CallError && [401, 403].includes(error.status)) askForSecret(list, error, load)
      else showError(list, error)
    }
  }

  function show(records: readonly Refused[], cursor: string | undefined): void {
    list.removeAttribute('aria-busy')
    if (records.length === 0) {
      const text =
        collection === undefined
          ? 'Every record that arrived was taken.'
          : `Every ${collection} that arrived was taken.`
      fill(
        list,
        h(
          'div',
          { class: 'notice empty' },
          h('p', { class: 'notice-title' }, 'Nothing is quarantined'),
          h('p', { class: 'quiet' }, text),
        ),
      )
      return
    }
    const all = collection === undefined ? { all: 'true' } : { collection }
    const next =
      cursor &&
      formatPlace({
        view: 'quarantine',
        params: [...place.params.filter(([name]) => name !== 'cursor'), ['cursor', cursor]],
      })
    fill(
      list,
      h(
        'div',
        { class: 'bar' },
        h('p', { class: 'result-line' }, h('b', null, counted(records.length, 'record'))),
        retryButton(collection === undefined ? 'Try all again' : `Try every ${collection} again`, all),
      ),
      h(
        'ol',
        { class: 'cards' },
        records.map((record) => h('li', null, card(record))),
      ),
      next && h('nav', { class: 'pager', 'aria-label': 'Pages' }, h('a', { href: next }, 'Next →')),
    )
    announce(counted(records.length, 'refused record'))
  }

  function card({ uri, did, collection: nsid, rev, reason, quarantinedAt, record }: Refused): HTMLElement {
    const json = h(
      'details',
      { class: 'card-json' },
      h('summary', null, record === null ? 'Too long to be shown' : 'JSON'),
    )
    json.addEventListener('toggle', () => {
      if (json.open && record !== null && json.children.length === 1)
        json.append(h('div', { class: 'card-tree' }, jsonTree(parse(record), 2)))
    })
    const ms = Date.parse(quarantinedAt)
    return h(
      'article',
      { class: 'card refused' },
      h(
        'header',
        null,
        h('h3', null, bdi(reason)),
        h(
          'p',
          { class: 'byline' },
          index.collections.get(nsid) ?? nsid,
          ' · ',
          bdi(shortDid(did)),
          ' · ',
          h('time', { datetime: quarantinedAt, title: fullDate(ms) }, `refused ${ago(ms)}`),
          ` · rev ${rev}`,
        ),
      ),
      h('p', { class: 'uri' }, uri),
      h(
        'footer',
        null,
        json,
        h(
          'div',
          { class: 'actions' },
          copyButton(() => uri, 'Copy URI', uri),
          retryButton('Try again', { uri }),
        ),
      ),
    )
  }

  function retryButton(label: string, which: Record<string, string>): HTMLElement {
    const button = h('button', { type: 'button', class: 'small', on: { click: retry } }, label)
    async function retry() {
      button.disabled = true
      try {
        const query = queryString(Object.entries(which))
        const { retried, applied, stillRefused } = await get(`${path}/retry${query}`, {
          method: 'POST',
          secret: secret(),
          signal,
        })
        const text = `Tried ${counted(retried, 'record')} again: ${applied} indexed, ${stillRefused} still refused.`
        fill(message, h('p', { class: 'notice' }, text))
        announce(text)
        refreshStatus()
        await load()
      } catch (error) {
        if (!signal.aborted) showError(message, error)
      } finally {
        button.disabled = false
      }
    }
    return button
  }

  load()
  return h(
    'div',
    { class: 'stack-wide narrow' },
    filter(index, collection),
    message,
    h('h2', { class: 'visually-hidden' }, 'Refused records'),
    list,
  )
}

function filter(index: IndexInfo, collection: string | undefined): HTMLElement {
  const names = [...index.collections.values()]
  const select = h(
    'select',
    {
      id: 'quarantine-of',
      on: {
        change() {
          goTo(formatPlace({ view: 'quarantine', params: select.value === '' ? [] : [['collection', select.value]] }))
          document.getElementById('quarantine-of')?.focus()
        },
      },
    },
    h('option', { value: '' }, 'every collection'),
    names.map((name) => h('option', { value: name, selected: name === collection }, name)),
  )
  return h('div', { class: 'field inline' }, h('label', { for: 'quarantine-of' }, 'Collection'), select)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
