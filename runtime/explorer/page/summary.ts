/** What a reader wants to know of a record first, whatever its type. */
import { clip, tokenName } from './format.ts'

export interface Summary {
  readonly title: string
  /** Longer text; '' where there is none. */
  readonly text: string
  /** Other fields that fit a line. */
  readonly facts: readonly Fact[]
  /** Fields that are only in the JSON. */
  readonly left: number
}

export interface Fact {
  readonly name: string
  readonly kind: 'text' | 'number' | 'yes-no' | 'time' | 'record'
  /** As text; ISO 8601 for a time, the URI of a record. */
  readonly value: string
}

const TITLES = [
  'name',
  'title',
  'displayName',
  'headline',
  'subject',
  'label',
  'text',
  'status',
  'description',
  'content',
]
const TEXTS = ['description', 'text', 'summary', 'content', 'body', 'note', 'comment']
const MOST_FACTS = 8
const LONGEST_TITLE = 140
const LONGEST_TEXT = 400
const LONGEST_FACT = 120

/** @param value A record as it came: anything at all */
export function summarize(value: unknown, rkey: string): Summary {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { title: rkey, text: clip(JSON.stringify(value) ?? '', LONGEST_TEXT), facts: [], left: 0 }
  }
  const record = value as Record<string, unknown>
  const text = (name: string) => {
    const found = Object.hasOwn(record, name) ? record[name] : undefined
    return typeof found === 'string' ? found.trim() : ''
  }
  const titleField = TITLES.find((name) => text(name) !== '' && !text(name).startsWith('at://'))
  const textField = TEXTS.find((name) => name !== titleField && text(name) !== '')
  const shown = new Set(['$type', 'createdAt', titleField, textField])
  const rest = Object.entries(record).filter(([name, field]) => !shown.has(name) && field !== null)
  const facts = inOrder(rest.flatMap(([name, field]) => factOf(name, field) ?? [])).slice(0, MOST_FACTS)
  return {
    title: titleField === undefined ? rkey : clip(tokenName(text(titleField)), LONGEST_TITLE),
    text: textField === undefined ? '' : clip(text(textField), LONGEST_TEXT),
    facts,
    left: rest.length - facts.length,
  }
}

/** Times first, as they follow each other: records have their fields in the order of the alphabet, at best. */
function inOrder(facts: readonly Fact[]): readonly Fact[] {
  const times = facts.filter(({ kind }) => kind === 'time').sort((a, b) => Date.parse(a.value) - Date.parse(b.value))
  return [...times, ...facts.filter(({ kind }) => kind !== 'time')]
}

function factOf(name: string, value: unknown): Fact | null {
  if (typeof value === 'number') return { name, kind: 'number', value: String(value) }
  if (typeof value === 'boolean') return { name, kind: 'yes-no', value: value ? 'yes' : 'no' }
  if (typeof value === 'string') return value.trim() === '' ? null : textFact(name, value)
  if (Array.isArray(value)) {
    const texts = value.filter((item) => typeof item === 'string' || typeof item === 'number')
    if (texts.length === 0 || texts.length < value.length) return null
    return { name, kind: 'text', value: clip(texts.map((item) => tokenName(String(item))).join(', '), LONGEST_FACT) }
  }
  // A reference to a record, with or without its version.
  const uri = (value as { uri?: unknown } | null)?.uri
  return typeof uri === 'string' && isRecordUri(uri) ? { name, kind: 'record', value: uri } : null
}

function textFact(name: string, value: string): Fact {
  if (isRecordUri(value)) return { name, kind: 'record', value }
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value) && !Number.isNaN(Date.parse(value))) return { name, kind: 'time', value }
  return { name, kind: 'text', value: clip(tokenName(value), LONGEST_FACT) }
}

function isRecordUri(text: string): boolean {
  return text.length < 1000 && /^at:\/\/[^/\s]+\/[^/\s]+\/[^/\s]+$/.test(text)
}
