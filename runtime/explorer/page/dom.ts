/**
 * Elements. Text goes in as text nodes and in no other way: nothing on this page parses markup, whatever a record holds.
 */

export type Child = Node | string | number | null | undefined | false | readonly Child[]

export interface Props {
  readonly class?: string | undefined
  /** Listeners by event. */
  readonly on?: Readonly<Record<string, (event: any) => void>> | undefined
  /** Attributes; `true` sets an empty one, `false` and undefined none. Links lead nowhere but to places of this page. */
  readonly [attribute: string]: unknown
}

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props?: Props | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === false || value === null) continue
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value as NonNullable<Props['on']>)) {
        element.addEventListener(event, listener)
      }
    } else if (name === 'class') element.className = String(value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  append(element, children)
  return element
}

export function append(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue
    if (isList(child)) append(parent, child)
    else parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)))
  }
}

/** Puts new children in place of those that are there. */
export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren()
  append(parent, children)
}

/** The same, but what is there and looks the same stays: focus, selection and scrolling with it. */
export function refill(parent: Element, ...children: Child[]): void {
  const next = document.createElement('div')
  append(next, children)
  const fresh = [...next.children]
  const there = [...parent.children]
  for (const [i, child] of fresh.entries()) {
    const old = there[i]
    if (old === undefined) parent.append(child)
    else if (!old.isEqualNode(child)) old.replaceWith(child)
  }
  for (const old of there.slice(fresh.length)) old.remove()
}

/** Text by strangers, whatever its direction. */
export function bdi(text: string, className?: string): HTMLElement {
  return h('bdi', { class: className }, text)
}

/** A description as lexicons have it: what is between backticks is code. */
export function prose(text: string): Child[] {
  return text.split('`').map((part, i) => (i % 2 === 1 ? h('code', null, part) : part))
}

/** A name in segments, which a line may break between. */
export function nsid(name: string): Child[] {
  return name.split('.').flatMap((segment, i) => (i === 0 ? [segment] : ['.', h('wbr'), segment]))
}

let region: HTMLElement | null = null

/** Where `announce` speaks from. One for the page, there from the beginning: screen readers miss others. */
export function liveRegion(): HTMLElement {
  region ??= h('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' })
  return region
}

/** Has screen readers say what sighted users can see. */
export function announce(text: string): void {
  const target = liveRegion()
  // The same text again is no change, and would not be said.
  target.textContent = target.textContent === text ? `${text}\u00a0` : text
}

function isList(child: Child): child is readonly Child[] {
  return Array.isArray(child)
}
