import { SERVICE } from './api.ts'
import { curl, typescript } from './code.ts'
import { copyButton } from './copy.ts'
import { fill, h } from './dom.ts'
import type { Method } from './lexicon.ts'
import type { Params } from './place.ts'

const LANGUAGES = { curl: { label: 'curl', write: curl }, ts: { label: 'TypeScript', write: typescript } } as const

type Language = keyof typeof LANGUAGES

let chosen: Language = 'curl'

export interface CodePanel {
  readonly element: HTMLElement
  /** Writes the code anew. */
  update(params: Params): void
}

/** The call as code, in the language last chosen. */
export function codePanel(method: Method): CodePanel {
  let params: Params = []
  const code = h('code')
  const buttons = Object.entries(LANGUAGES).map(([language, { label }]) =>
    h(
      'button',
      {
        type: 'button',
        'data-language': language,
        on: {
          click() {
            chosen = language as Language
            show()
          },
        },
      },
      label,
    ),
  )
  const text = () => LANGUAGES[chosen].write(SERVICE, method, params)
  const show = () => {
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.language === chosen))
    fill(code, text())
  }
  const element = h(
    'section',
    { class: 'code-panel', 'aria-label': 'As code' },
    h(
      'div',
      { class: 'bar' },
      h('div', { class: 'segments', role: 'group', 'aria-label': 'Language' }, buttons),
      copyButton(text, 'Copy', 'code'),
    ),
    // Scrolls, so it has to be reachable by keyboard.
    h('pre', { tabindex: 0, role: 'region', 'aria-label': 'Code of this call' }, code),
  )
  show()
  return {
    element,
    update(next) {
      params = next
      show()
    },
  }
}
