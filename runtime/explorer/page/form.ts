/** The form of a method, built from its lexicon. */
import { h } from './dom.ts'
import { type Field, layout } from './fields.ts'
import { inputFor, readControl, switchFor } from './inputs.ts'
import type { Method, Param } from './lexicon.ts'
import type { Params } from './place.ts'

export interface MethodForm {
  readonly element: HTMLFormElement
  /** What is filled in, without a cursor. */
  params(): Params
  /** Marks the control of a parameter as the one that an error is about; null for none. Returns whether there is one. */
  blame(name: string | null, message?: string): boolean
}

export interface MethodFormOptions {
  readonly params: Params
  /** Told whenever something is filled in. */
  onChange(): void
  onSubmit(): void
  onReset(): void
}

export function methodForm(method: Method, { params, onChange, onSubmit, onReset }: MethodFormOptions): MethodForm {
  const valuesOf = ({ name }: Param) => params.filter(([other]) => other === name).map(([, value]) => value)
  const input = (param: Param, label?: string) => inputFor(param, valuesOf(param), label)
  const groups = layout(method)
  const isSet = (param: Param) => valuesOf(param).length > 0

  /** Where a line is enough, as for a number. */
  const compact = (param: Param, label?: string) =>
    param.type === 'integer' && !param.many ? h('div', { class: 'compact' }, input(param, label)) : input(param, label)

  const filter = ({ name, main, more }: Field) => {
    const only = main.length === 1 && main[0]!.operator === 'is'
    const controls = main.map(({ param, operator }) => input(param, only ? name : operator))
    const rest =
      more.length > 0 &&
      h(
        'details',
        { class: 'more', open: more.some(({ param }) => isSet(param)) },
        h('summary', null, `More for ${name}`),
        h(
          'div',
          { class: 'group-more' },
          more.map(({ param, operator }) => input(param, operator)),
        ),
      )
    if (only && rest === false) return controls
    const [first] = main
    if (main.length === 1 && first!.param.type === 'integer' && rest === false)
      return compact(first!.param, `${name} ${first!.operator}`)
    const body = h('div', { class: main.length === 2 ? 'pair' : 'stack' }, controls)
    if (only) return h('div', { class: 'filter' }, body, rest)
    return h('fieldset', { class: 'filter' }, h('legend', null, name), body, rest)
  }

  const moreFilters = (fields: readonly Field[]) => {
    if (fields.length === 0) return []
    const open = fields.some(({ main, more }) => [...main, ...more].some(({ param }) => isSet(param)))
    const names = fields.map(({ name }) => name).join(', ')
    return [
      h(
        'details',
        { class: 'more', open },
        h('summary', null, `More filters: ${names}`),
        h('div', { class: 'group-more' }, fields.map(filter)),
      ),
    ]
  }

  const embed = (param: Param) =>
    param.type === 'boolean' && !param.many
      ? switchFor(param, ['true', '1'].includes(valuesOf(param)[0] ?? ''))
      : compact(param)

  const nestedEmbeds = (params: readonly Param[]) => {
    if (params.length === 0) return []
    const summary = h('summary', null, `Within what is embedded (${params.length})`)
    return [
      h(
        'details',
        { class: 'more', open: params.some(isSet) },
        summary,
        h('div', { class: 'group-more' }, params.map(embed)),
      ),
    ]
  }

  const empty = method.params.length === 0
  const form = h(
    'form',
    {
      class: 'method-form',
      novalidate: true,
      'aria-label': `Parameters of ${method.id}`,
      on: {
        input: onChange,
        change: onChange,
        submit(event: Event) {
          event.preventDefault()
          onSubmit()
        },
      },
    },
    groups.required.map((param) => input(param)),
    groups.search !== undefined && input(groups.search),
    section('Filter', [...groups.filters.map(filter), ...moreFilters(groups.moreFilters)]),
    section(
      'Account',
      groups.account.map((param) => input(param)),
    ),
    groups.order.length > 0 &&
      section(
        'Order',
        h(
          'div',
          { class: 'pair' },
          groups.order.map((param) => input(param)),
        ),
      ),
    section('Embed', [...groups.embed.map(embed), ...nestedEmbeds(groups.nested)]),
    groups.limit !== undefined && section('Page', compact(groups.limit)),
    empty && h('p', { class: 'quiet' }, 'Nothing to fill in.'),
    h(
      'div',
      { class: 'actions' },
      h(
        'button',
        { type: 'submit', class: 'primary' },
        method.kind === 'procedure' ? 'Send' : method.isList ? 'List' : 'Get',
      ),
      !empty && h('button', { type: 'button', on: { click: onReset } }, 'Clear'),
    ),
  )

  return {
    element: form,
    params() {
      const read: [string, string][] = []
      for (const { name } of method.params) {
        if (name === 'cursor') continue
        const found = new FormData(form)
          .getAll(name)
          .map((raw) => readControl(form.querySelector(`[name="${name}"]`), String(raw)))
        for (const value of new Set(found)) if (value !== '') read.push([name, value])
      }
      return read
    },
    blame(name, message = '') {
      for (const control of form.querySelectorAll('[aria-invalid]')) control.removeAttribute('aria-invalid')
      for (const note of form.querySelectorAll('.wrong')) note.remove()
      if (name === null) return false
      const controls = form.querySelectorAll(`[name="${CSS.escape(name)}"]`)
      for (const control of controls) control.setAttribute('aria-invalid', 'true')
      controls[0]?.closest('.field')?.append(h('p', { class: 'wrong' }, message))
      return controls.length > 0
    },
  }
}

function section(title: string, content: HTMLElement | readonly (HTMLElement | HTMLElement[])[]): HTMLElement | null {
  if (Array.isArray(content) && content.length === 0) return null
  return h('section', { class: 'group', 'aria-label': title }, h('h2', null, title), content as HTMLElement)
}
