import { announce, h } from './dom.ts'

/**
 * A button that copies what `text` gives at that moment.
 *
 * @param what Said after the label where it cannot be seen what it belongs to
 */
export function copyButton(text: () => string, label: string, what: string): HTMLButtonElement {
  const button = h('button', {
    type: 'button',
    class: 'small',
    'aria-label': `${label} ${what}`,
    on: {
      async click() {
        const done = await copy(text())
        button.textContent = done ? 'Copied' : 'Not allowed'
        announce(done ? 'Copied' : 'The browser does not allow copying')
        setTimeout(() => {
          button.textContent = label
        }, 1500)
      },
    },
  })
  button.textContent = label
  return button
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

/** Over plain HTTP from another machine, browsers have no clipboard but this one. */
function copyBySelection(text: string): boolean {
  const focused = document.activeElement
  const area = h('textarea', { class: 'visually-hidden', 'aria-hidden': 'true', tabindex: -1 })
  area.value = text
  document.body.append(area)
  area.select()
  try {
    return document.execCommand('copy')
  } finally {
    area.remove()
    if (focused instanceof HTMLElement) focused.focus()
  }
}
