/** One method: its form, the same call as code, and the answer. */
import { type Answer, send } from './api.ts'
import { inputOf } from './code.ts'
import { codePanel } from './code-panel.ts'
import { h } from './dom.ts'
import { methodForm } from './form.ts'
import { findMethod, type IndexInfo, placeOfMethod } from './index-info.ts'
import { jsonTree } from './json-tree.ts'
import { type Method, usualParams } from './lexicon.ts'
import { enterPlace, formatPlace, goTo, type Params, type Place, queryString, renamePlace, trail } from './place.ts'
import { blamedParam, showAnswer, showError, showLoading } from './results.ts'

/** Wide enough for the form beside the answer. */
const WIDE = '(min-width: 60rem)'

/** Parameters that narrow nothing. */
const SHAPING = /^(limit|sort|order|profiles|hydrate.*)$/

/** What is asked for: a page of a list. */
interface Asked {
  readonly params: Params
  readonly cursor: string | null
  /** Cursors of the pages before, '' for the first; null where the way here is not known. */
  readonly before: readonly string[] | null
}

/** @param signal Aborted when another place is shown */
export function methodPage(index: IndexInfo, method: Method, place: Place, signal: AbortSignal): HTMLElement {
  const isQuery = method.kind === 'query'
  let asked = askedAt(place)
  let { json } = place
  let running = new AbortController()
  let answered: Answer | null = null

  const code = codePanel(method)
  const results = h('section', { class: 'results', 'aria-label': 'Answer', tabindex: -1 })
  const form = methodForm(method, {
    params: asked.params,
    onChange: () => code.update(form.params()),
    onSubmit: () => ask({ params: form.params(), cursor: null, before: [] }),
    onReset: clear,
  })
  const summary = h('summary')
  const box = h('details', { class: 'form-box' }, summary, form.element)
  const placeOf = ({ params, cursor }: Asked) =>
    formatPlace({ view: method.id, json, params: cursor === null ? params : [...params, ['cursor', cursor]] })

  function clear(): void {
    goTo(formatPlace({ view: method.id, json, params: usualParams(method) }))
    document.querySelector<HTMLElement>('.method-form [type="submit"]')?.focus()
  }

  function ask(next: Asked): void {
    asked = next
    if (isQuery) enterPlace(placeOf(asked), { before: asked.before ?? [] })
    run()
  }

  function turnTo(next: Asked): void {
    ask(next)
    results.focus({ preventScroll: true })
    results.scrollIntoView({ block: 'start' })
  }

  async function run(): Promise<void> {
    running.abort()
    running = new AbortController()
    const { signal: superseded } = running
    const { params, cursor } = asked
    summary.textContent = params.length === 0 ? 'Parameters' : `Parameters (${params.length})`
    code.update(params)
    form.blame(null)
    showLoading(results)
    const query = isQuery ? queryString(cursor === null ? params : [...params, ['cursor', cursor]]) : ''
    const input = isQuery ? {} : ({ method: 'POST', input: inputOf(method, params) } as const)
    try {
      answered = await send(`xrpc/${method.nsid}${query}`, { ...input, signal: AbortSignal.any([signal, superseded]) })
      show()
    } catch (error) {
      if (!signal.aborted && !superseded.aborted) showError(results, error)
    }
  }

  function show(): void {
    if (answered === null) return
    const { params, cursor, before } = asked
    showAnswer(results, answered, {
      index,
      method,
      json,
      filtered: params.some(([name]) => !SHAPING.test(name)),
      page: cursor === null ? 0 : (before?.length ?? null),
      onView(asJson) {
        json = asJson
        renamePlace(placeOf(asked))
        show()
        results.querySelector<HTMLElement>('.segments [aria-pressed="true"]')?.focus()
      },
      onNext: (next) => turnTo({ params, cursor: next, before: before && [...before, cursor ?? ''] }),
      onBack: () => turnTo({ params, cursor: before?.at(-1) || null, before: before?.slice(0, -1) ?? [] }),
      onClear: clear,
    })
    blame(answered)
  }

  function blame({ ok, body }: Answer): void {
    const message = ok ? null : body?.message
    const name = typeof message === 'string' ? blamedParam(message) : null
    if (name !== null && form.blame(name, message.split(' Valid parameters:')[0])) box.open = true
  }

  const complete = method.params.every(
    ({ name, required }) => !required || asked.params.some(([given]) => given === name),
  )
  const wide = matchMedia(WIDE)
  box.open = wide.matches || !complete || !isQuery
  // Beside its answer it has nothing to be opened by.
  wide.addEventListener('change', () => (box.open ||= wide.matches), { signal })
  if (isQuery && complete) run()
  else {
    summary.textContent = 'Parameters'
    code.update(asked.params)
    results.append(invitation(index, method))
  }
  const heading = h('h2', { class: 'visually-hidden' }, 'Answer')
  return h(
    'div',
    { class: 'method-page' },
    box,
    h('div', { class: 'answer-box' }, code.element, heading, results, lexiconBox(method)),
  )
}

function askedAt(place: Place): Asked {
  const cursor = place.params.find(([name]) => name === 'cursor')?.[1] ?? null
  const before = cursor === null ? [] : (trail()?.before ?? null)
  return { params: place.params.filter(([name]) => name !== 'cursor'), cursor, before }
}

/** What to do where nothing was asked yet. */
function invitation(index: IndexInfo, { collection, id }: Method): HTMLElement {
  const list = findMethod(index, `${collection}.listRecords`)
  const link = list !== undefined && list.id !== id && h('a', { href: placeOfMethod(list) }, `Pick one from ${list.id}`)
  return h('div', { class: 'notice empty' }, h('p', { class: 'quiet' }, 'Fill in the form, then send it.'), link)
}

function lexiconBox({ lexicon }: Method): HTMLElement {
  const box = h('details', { class: 'lexicon' }, h('summary', null, 'Lexicon of this method'))
  box.addEventListener('toggle', () => {
    if (box.open && box.children.length === 1) box.append(jsonTree(lexicon, 4))
  })
  return box
}
