/** One control for each kind of parameter. Each has the parameter's name, so that the form's own data holds the values. */
import { fromLocal, toLocal } from './datetime.ts'
import { h, prose } from './dom.ts'
import { tokenName } from './format.ts'
import type { Param } from './lexicon.ts'

/** Up to so many known values are shown as buttons to pick from. */
const MOST_CHOICES = 8

let counter = 0

/**
 * @param label What it is called, where that is not the name of the parameter
 * @param values What is chosen already
 */
export function inputFor(param: Param, values: readonly string[], label = param.name): HTMLElement {
  if (param.many) return manyInput(param, values, label)
  const id = nextId()
  return h(
    'div',
    { class: 'field' },
    labelFor(id, param, label),
    singleInput(param, id, values[0] ?? ''),
    hintOf(param, id),
  )
}

/** A switch, for what is off unless it is asked for. */
export function switchFor(param: Param, on: boolean): HTMLElement {
  const id = nextId()
  return h(
    'div',
    { class: 'field switch' },
    h('input', { type: 'checkbox', id, name: param.name, value: 'true', checked: on, ...described(param, id) }),
    labelFor(id, param, param.name),
    hintOf(param, id),
  )
}

function singleInput(param: Param, id: string, value: string): HTMLElement {
  const { name, required } = param
  const common = { id, name, required, ...described(param, id) }
  if (param.values !== undefined) return select(common, value, ['', ...param.values], '–')
  if (param.type === 'boolean')
    return select(common, value === '1' ? 'true' : value === '0' ? 'false' : value, ['', 'true', 'false'], 'either')
  if (param.type === 'integer') {
    const { min, max } = param
    return h('input', {
      ...common,
      type: 'number',
      min,
      max,
      step: 1,
      value,
      placeholder: param.default,
      inputmode: 'numeric',
    })
  }
  if (param.format === 'datetime') {
    // What the control cannot hold, such as milliseconds, stays as it was unless it is changed.
    const local = toLocal(value)
    return h('input', { ...common, type: 'datetime-local', value: local, 'data-local': local, 'data-value': value })
  }
  const list = param.known.length === 0 ? null : datalist(param.known)
  const input = textInput(param, value, { ...common, list: list?.id })
  return list === null ? input : h('span', { class: 'with-list' }, input, list)
}

/** Several values: buttons where the usual ones are few, else lines of text that grow. */
function manyInput(param: Param, values: readonly string[], label: string): HTMLElement {
  const id = nextId()
  const few = param.known.length > 0 && param.known.length <= MOST_CHOICES
  return h(
    'fieldset',
    { class: 'field', ...described(param, id) },
    h('legend', { title: param.name === label ? undefined : param.name }, label),
    few ? choices(param, values) : lines(param, values, label),
    hintOf(param, id),
  )
}

function choices(param: Param, values: readonly string[]): HTMLElement {
  const others = values.filter((value) => !param.known.includes(value))
  // Types of one family differ in their last segment.
  const short = param.known.map((value) => /[.#]([\w-]+)$/.exec(value)?.[1] ?? value)
  const isShort = new Set(short).size === short.length
  const labelOf = (value: string) => (isShort ? short[param.known.indexOf(value)] : undefined) ?? tokenName(value)
  const choice = (value: string) => {
    const id = nextId()
    return h(
      'span',
      { class: 'choice' },
      h('input', { type: 'checkbox', id, name: param.name, value, checked: values.includes(value) }),
      h('label', { for: id, title: value }, labelOf(value)),
    )
  }
  const other = textInput(param, '', {
    name: param.name,
    'aria-label': `another ${param.name}`,
    placeholder: 'another',
  })
  return h('div', { class: 'choices' }, [...param.known, ...others].map(choice), other)
}

function lines(param: Param, values: readonly string[], label: string): HTMLElement {
  const list = param.known.length === 0 ? null : datalist(param.known)
  const box = h('div', { class: 'lines' })
  const add = (value: string) => {
    const name = `${label}, value ${box.querySelectorAll('input').length + 1}`
    const line = textInput(param, value, { name: param.name, list: list?.id, 'aria-label': name })
    line.addEventListener('input', () => {
      // There is always room for one more.
      if (line.value !== '' && line === [...box.querySelectorAll('input')].at(-1)) add('')
    })
    box.append(line)
  }
  for (const value of [...values, '']) add(value)
  if (list !== null) box.append(list)
  return box
}

function textInput({ format, name }: Param, value: string, props: Record<string, unknown>): HTMLInputElement {
  const examples: Record<string, string> = {
    'at-identifier': 'handle or did:…',
    'at-uri': 'at://…',
    did: 'did:…',
  }
  return h('input', {
    type: name === 'search' ? 'search' : 'text',
    value,
    placeholder: examples[format ?? ''],
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    ...props,
  })
}

function select(props: Record<string, unknown>, value: string, values: readonly string[], none: string): HTMLElement {
  const options = values.includes(value) ? values : [...values, value]
  return h(
    'select',
    props,
    options.map((option) => h('option', { value: option, selected: option === value }, option === '' ? none : option)),
  )
}

function datalist(values: readonly string[]): HTMLElement {
  return h(
    'datalist',
    { id: nextId() },
    values.map((value) => h('option', { value }, tokenName(value))),
  )
}

function labelFor(id: string, param: Param, label: string): HTMLElement {
  return h(
    'label',
    { for: id, title: label === param.name ? undefined : param.name },
    label,
    param.required && h('span', { class: 'required' }, ' required'),
  )
}

function hintOf({ description }: Param, id: string): HTMLElement | null {
  return description === '' ? null : h('p', { class: 'hint', id: `${id}-hint` }, prose(description))
}

function described({ description }: Param, id: string): Record<string, string> {
  return description === '' ? {} : { 'aria-describedby': `${id}-hint` }
}

function nextId(): string {
  counter++
  return `c${counter}`
}

/** What a control contributes to the parameters; '' for nothing. */
export function readControl(control: Element | null, raw: string): string {
  const input = control instanceof HTMLInputElement ? control : null
  if (input?.type !== 'datetime-local' || raw === '') return raw.trim()
  return raw === input.dataset.local ? input.dataset.value! : fromLocal(raw)
}
