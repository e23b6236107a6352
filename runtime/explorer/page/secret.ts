/** The secret of the admin routes, known until the page is left and kept nowhere. */
import type { CallError } from './api.ts'
import { fill, h } from './dom.ts'

let known: string | undefined

export function secret(): string | undefined {
  return known
}

/** A form in place of what cannot be shown without it. */
export function askForSecret(target: HTMLElement, { status, message }: CallError, then: () => void): void {
  target.removeAttribute('aria-busy')
  const wrong = status === 403
  const input = h('input', {
    type: 'password',
    id: 'admin-secret',
    name: 'secret',
    required: true,
    autocomplete: 'off',
    'aria-describedby': 'admin-secret-hint',
    'aria-invalid': wrong ? 'true' : undefined,
  })
  const form = h(
    'form',
    {
      class: 'notice secret',
      on: {
        submit(event: Event) {
          event.preventDefault()
          known = input.value.trim()
          then()
        },
      },
    },
    h('p', { class: 'notice-title' }, 'For operators'),
    h(
      'div',
      { class: 'field' },
      h('label', { for: 'admin-secret' }, 'Admin secret'),
      input,
      h(
        'p',
        { class: wrong ? 'wrong' : 'hint', id: 'admin-secret-hint', role: wrong ? 'alert' : undefined },
        wrong
          ? message
          : 'What the index was started with: `adminSecret`, or LEXIDEX_ADMIN_SECRET in its environment. It is forgotten when you leave this page.',
      ),
    ),
    h('button', { type: 'submit', class: 'primary' }, 'Open'),
  )
  fill(target, form)
  if (wrong) input.focus()
}
