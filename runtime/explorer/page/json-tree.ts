/** JSON to unfold. What is folded has no elements yet, so that a long answer costs nothing. */
import { bdi, h } from './dom.ts'
import { counted } from './format.ts'

/** Longest text that is shown at once. */
const LONGEST = 2000

/** Items that are shown at once. */
const PAGE = 200

/** @param depth How many levels are unfolded */
export function jsonTree(value: unknown, depth = 2, key?: string): HTMLElement {
  if (typeof value !== 'object' || value === null) return h('div', { class: 'json-line' }, keyOf(key), scalar(value))
  const isArray = Array.isArray(value)
  const entries = Object.entries(value)
  const size = isArray ? counted(entries.length, 'item') : counted(entries.length, 'field')
  if (entries.length === 0) return h('div', { class: 'json-line' }, keyOf(key), isArray ? '[]' : '{}')

  const body = h('div', { class: 'json-body' })
  let shown = 0
  const showMore = () => {
    body.querySelector(':scope > button')?.remove()
    for (const [name, item] of entries.slice(shown, shown + PAGE)) body.append(jsonTree(item, depth - 1, name))
    shown += PAGE
    if (shown < entries.length) {
      const more = h(
        'button',
        { type: 'button', class: 'small', on: { click: showMore } },
        `${entries.length - shown} more`,
      )
      body.append(more)
    }
  }
  const details = h(
    'details',
    { class: 'json', open: depth > 0 },
    h('summary', null, keyOf(key), h('span', { class: 'json-size' }, `${isArray ? '[…]' : '{…}'} ${size}`)),
    body,
  )
  const unfold = () => {
    if (details.open && shown === 0) showMore()
  }
  details.addEventListener('toggle', unfold)
  unfold()
  return details
}

function keyOf(key: string | undefined): HTMLElement | null {
  return key === undefined ? null : h('span', { class: 'json-key' }, bdi(key), ': ')
}

function scalar(value: unknown): HTMLElement {
  if (typeof value !== 'string')
    return h('span', { class: `json-${value === null ? 'null' : typeof value}` }, String(value))
  const text = JSON.stringify(value)
  const element = bdi(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text, 'json-string')
  if (text.length > LONGEST) {
    const all = h('button', {
      type: 'button',
      class: 'small',
      on: {
        click() {
          element.textContent = text
          all.remove()
        },
      },
    })
    all.textContent = `all ${text.length} characters`
    return h('span', null, element, ' ', all)
  }
  return element
}
