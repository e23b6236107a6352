/** The answer to a call: cards or JSON, the way to the next page, or what went wrong. */
import { type Answer, CallError, errorOf } from './api.ts'
import { type People, recordCard } from './card.ts'
import { copyButton } from './copy.ts'
import { announce, fill, h } from './dom.ts'
import { bytes, counted, duration } from './format.ts'
import type { IndexInfo } from './index-info.ts'
import { jsonTree } from './json-tree.ts'
import type { Method } from './lexicon.ts'

export interface ResultsOptions {
  readonly index: IndexInfo
  readonly method: Method
  readonly json: boolean
  /** Whether anything narrows the list. */
  readonly filtered: boolean
  /** How many pages are before this one; null where that is not known. */
  readonly page: number | null
  onView(json: boolean): void
  onNext(cursor: string): void
  /** To the page before, or to the first one where that is not known. */
  onBack(): void
  onClear(): void
}

/** Shows that something is on its way, unless it comes at once. */
export function showLoading(target: HTMLElement): void {
  target.setAttribute('aria-busy', 'true')
  if (target.childElementCount > 0) return
  const bone = () => h('div', { class: 'card bone', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'))
  fill(target, h('div', { class: 'cards' }, bone(), bone(), bone()))
}

export function showAnswer(target: HTMLElement, answer: Answer, options: ResultsOptions): void {
  target.removeAttribute('aria-busy')
  if (!answer.ok || answer.body === null) {
    showError(target, errorOf(answer))
    return
  }
  const { method, json } = options
  const records = method.isList && Array.isArray(answer.body.records) ? (answer.body.records as any[]) : null
  const single = isView(answer.body) ? answer.body : null
  const hasCards = records !== null || single !== null
  const count = records === null ? 'Answered' : counted(records.length, 'record')
  const facts = `${duration(answer.ms)} · ${bytes(answer.bytes)}`
  fill(
    target,
    h(
      'div',
      { class: 'bar' },
      h('p', { class: 'result-line' }, h('b', null, count), h('span', { class: 'quiet' }, ` ${facts}`)),
      hasCards && viewSwitch(options),
    ),
    json || !hasCards
      ? asJson(answer)
      : records === null
        ? oneCard(options, single)
        : cards(options, records, answer.body),
    records !== null && pager(options, answer.body.cursor),
  )
  announce(records === null ? 'Answered' : `${count}${options.page ? `, page ${options.page + 1}` : ''}`)
}

/** What went wrong, and what to do. */
export function showError(target: HTMLElement, error: unknown): void {
  target.removeAttribute('aria-busy')
  const {
    status,
    error: name,
    message,
  } = error instanceof CallError ? error : { status: 0, error: 'Error', message: String(error) }
  const [problem, hint] = splitHint(message)
  fill(
    target,
    h(
      'div',
      { class: 'notice error', role: 'alert' },
      h(
        'p',
        { class: 'notice-title' },
        h('b', null, name),
        status > 0 && h('span', { class: 'badge' }, `HTTP ${status}`),
      ),
      h('p', { dir: 'auto' }, problem),
      hint !== '' && h('p', { class: 'quiet' }, hint),
    ),
  )
}

/** The parameter that an error is about, where it names one. */
export function blamedParam(message: string): string | null {
  return /(?:Parameter|parameter) "([^"]+)"/.exec(message)?.[1] ?? (message.startsWith('The search ') ? 'search' : null)
}

/** The sentence that says what there is instead is quieter than the one that says what is wrong. */
function splitHint(message: string): readonly [string, string] {
  const at = message.search(/ (Valid parameters:|GET \/ lists|Hint:)/)
  return at === -1 ? [message, ''] : [message.slice(0, at), message.slice(at + 1)]
}

function viewSwitch({ json, onView }: ResultsOptions): HTMLElement {
  const button = (label: string, asJson: boolean) =>
    h('button', { type: 'button', 'aria-pressed': String(json === asJson), on: { click: () => onView(asJson) } }, label)
  return h(
    'div',
    { class: 'segments', role: 'group', 'aria-label': 'Show as' },
    button('Cards', false),
    button('JSON', true),
  )
}

function cards(options: ResultsOptions, records: readonly any[], body: any): HTMLElement {
  if (records.length === 0) return emptyState(options)
  const people = peopleOf(body.profiles)
  return h(
    'ol',
    { class: 'cards' },
    records.map((view) => h('li', null, recordCard(options.index, view, people))),
  )
}

function oneCard({ index }: ResultsOptions, view: any): HTMLElement {
  return h('div', { class: 'cards' }, recordCard(index, view, peopleOf(view.profiles)))
}

function emptyState({ index, filtered, page, onClear }: ResultsOptions): HTMLElement {
  const { pending } = index.status.jobs
  const hint = filtered
    ? 'Nothing matches all of what was asked for.'
    : pending > 0
      ? 'The index is still being filled. Records appear as they arrive.'
      : 'The index has none of these yet.'
  return h(
    'div',
    { class: 'notice empty' },
    h('p', { class: 'notice-title' }, page ? 'No more records' : 'No records'),
    h('p', { class: 'quiet' }, hint),
    filtered && h('button', { type: 'button', on: { click: onClear } }, 'Clear all fields'),
  )
}

function asJson({ body, text }: Answer): HTMLElement {
  return h(
    'div',
    { class: 'json-view' },
    h(
      'div',
      { class: 'json-copy' },
      copyButton(() => text, 'Copy', 'JSON'),
    ),
    jsonTree(body, 3),
  )
}

function pager({ page, onNext, onBack }: ResultsOptions, cursor: unknown): HTMLElement | null {
  const isFirst = page === 0
  if (isFirst && typeof cursor !== 'string') return null
  return h(
    'nav',
    { class: 'pager', 'aria-label': 'Pages' },
    h(
      'button',
      { type: 'button', disabled: isFirst, on: { click: onBack } },
      page === null ? '← First page' : '← Back',
    ),
    h('span', { class: 'quiet' }, page === null ? '' : `Page ${page + 1}`),
    h(
      'button',
      { type: 'button', disabled: typeof cursor !== 'string', on: { click: () => onNext(String(cursor)) } },
      'Next →',
    ),
  )
}

function peopleOf(profiles: unknown): People {
  const people = new Map<string, { handle?: string | undefined; name?: string | undefined }>()
  for (const profile of Array.isArray(profiles) ? profiles : []) {
    const { did, handle, value } = profile ?? {}
    const known = people.get(String(did))
    const name = typeof value?.displayName === 'string' && value.displayName !== '' ? value.displayName : known?.name
    people.set(String(did), { handle: typeof handle === 'string' ? handle : known?.handle, name })
  }
  return people
}

function isView(body: any): boolean {
  return typeof body?.uri === 'string' && typeof body?.did === 'string' && 'value' in body
}
