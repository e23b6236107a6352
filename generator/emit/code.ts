/** Text helpers for views. A view holds finished code; templates only place it. */

const LINE = 110
const IDENTIFIER = /^[a-zA-Z_$][a-zA-Z0-9_$]*$/

/** A string literal in the house's quotes. */
export function quote(value: string): string {
  const json = JSON.stringify(value)
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** A property name, quoted only where it must be. */
export function key(name: string): string {
  return IDENTIFIER.test(name) ? name : quote(name)
}

/** `r`, `['subject', 'uri']` → `r.subject?.uri`; safe on records that break their lexicon. */
export function access(variable: string, segments: readonly string[]): string {
  return segments.reduce((code, segment, i) => {
    if (IDENTIFIER.test(segment)) return `${code}${i === 0 ? '.' : '?.'}${segment}`
    return `${code}${i === 0 ? '' : '?.'}[${quote(segment)}]`
  }, variable)
}

/** A doc comment of one or several lines; `indent` is that of the line that it starts in. */
export function doc(text: string, indent = ''): string {
  const clean = oneLine(text)
  if (clean.length + indent.length < LINE) return `/** ${clean} */`
  const lines: string[] = []
  let line = ''
  for (const word of clean.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > LINE - indent.length) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return ['/**', ...lines.map((l) => `${indent} * ${l}`), `${indent} */`].join('\n')
}

/** Text that cannot end a comment. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('*/', '*\u200b/').trim()
}

/** Sentences, each with its full stop. */
export function sentences(...parts: string[]): string {
  return parts
    .map((part) => oneLine(part))
    .filter((part) => part !== '')
    .map((part) => (/[.!?:]$/.test(part) ? part : `${part}.`))
    .join(' ')
}

/** `{}` or an object literal with one entry a line. Entries may be of several lines themselves. */
export function object(entries: readonly string[], indent = ''): string {
  return bracket('{', '}', entries, indent)
}

/** `[]` or an array literal; on one line where that is short. */
export function array(entries: readonly string[], indent = ''): string {
  const flat = `[${entries.join(', ')}]`
  return flat.length < 90 ? flat : bracket('[', ']', entries, indent)
}

/** A union type, as it follows a colon: beside it where that is short, else with one member a line. */
export function union(members: readonly string[], indent: string): string {
  if (members.length === 0) return ' never'
  const flat = members.join(' | ')
  return flat.length < 90 ? ` ${flat}` : members.map((member) => `\n${indent}  | ${member}`).join('')
}

function bracket(open: string, close: string, entries: readonly string[], indent: string): string {
  if (entries.length === 0) return open + close
  return [open, ...entries.map((entry) => `${indent}  ${entry},`), `${indent}${close}`].join('\n')
}
