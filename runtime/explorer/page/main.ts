import { announce, type Child, fill, h, nsid, prose } from './dom.ts'
import { findMethod, type IndexInfo, loadIndex } from './index-info.ts'
import { methodPage } from './method-page.ts'
import { overviewPage } from './overview.ts'
import { formatPlace, type Place, parsePlace } from './place.ts'
import { quarantinePage } from './quarantine.ts'
import { showError } from './results.ts'
import { createShell, type Shell } from './shell.ts'
import { watchStatus } from './status.ts'
import { applyTheme } from './theme.ts'

interface View {
  readonly title: string
  /** Under the title. */
  readonly about: Child
  readonly content: HTMLElement
}

const app = document.getElementById('app')!

applyTheme()
start()

async function start(): Promise<void> {
  fill(app, h('p', { class: 'booting', role: 'status' }, 'Asking the index what it has …'))
  try {
    const index = await loadIndex()
    watchStatus(index.status, () => reloadWhereChanged(index))
    const shell = createShell(index)
    fill(app, shell.element)
    showPlaces(index, shell)
  } catch (error) {
    const box = h('div')
    showError(box, error)
    fill(
      app,
      h(
        'main',
        { class: 'booting', id: 'main' },
        h('h1', null, 'The index cannot be shown'),
        box,
        h('button', { type: 'button', on: { click: start } }, 'Try again'),
      ),
    )
  }
}

/** Forms are made of the methods as they were when the page was opened. */
async function reloadWhereChanged(index: IndexInfo): Promise<void> {
  const lexiconsOf = ({ methods }: IndexInfo) => JSON.stringify(methods.map(({ lexicon }) => lexicon))
  const now = await loadIndex().catch(() => index)
  if (lexiconsOf(now) !== lexiconsOf(index)) location.reload()
}

function showPlaces(index: IndexInfo, shell: Shell): void {
  let left = new AbortController()
  let shown: string | null = null
  const show = () => {
    left.abort()
    left = new AbortController()
    const place = parsePlace(location.hash)
    const { title, about, content } = viewAt(index, place, left.signal)
    document.title = `${title} · ${index.namespace}`
    const heading = h('h1', { tabindex: -1 }, title)
    fill(shell.main, h('div', { class: 'title' }, heading, about), content)
    shell.mark(place.view)
    if (shown !== null && shown !== place.view) {
      heading.focus({ preventScroll: true })
      scrollTo(0, 0)
      announce(title)
    }
    shown = place.view
  }
  window.addEventListener('hashchange', show)
  // The hash says where one is, so the link must not change it.
  document.querySelector('.skip')?.addEventListener('click', (event) => {
    event.preventDefault()
    shell.main.focus()
  })
  show()
}

function viewAt(index: IndexInfo, place: Place, signal: AbortSignal): View {
  if (place.view === '') return { title: 'Overview', about: null, content: overviewPage(index, signal) }
  if (place.view === 'quarantine') {
    const about = h(
      'p',
      { class: 'quiet' },
      'Versions of records that were refused, with the reasons. They are neither shown nor lost.',
    )
    return { title: 'Quarantine', about, content: quarantinePage(index, place, signal) }
  }
  const method = findMethod(index, place.view)
  if (method !== undefined) {
    const about = [
      method.description !== '' && h('p', { class: 'quiet' }, prose(method.description)),
      h('p', { class: 'nsid' }, nsid(method.nsid)),
    ]
    return { title: method.id, about, content: methodPage(index, method, place, signal) }
  }
  const content = h(
    'div',
    { class: 'notice empty' },
    h('p', null, `The index has no method ${place.view}.`),
    h('a', { href: formatPlace({ view: '' }) }, 'To the overview'),
  )
  return { title: 'Nothing here', about: null, content }
}
