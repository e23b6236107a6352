/** Times between a form, where they are local, and parameters, where they have a zone. */

/** A parameter's value as a `datetime-local` input takes it; '' where it is no time. */
export function toLocal(iso: string): string {
  const ms = Date.parse(iso)
  if (Number.isNaN(ms)) return ''
  const shifted = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString()
  return shifted.slice(0, shifted.slice(17, 19) === '00' ? 16 : 19)
}

/** The value of a `datetime-local` input as a parameter; what is no time, as it is. */
export function fromLocal(local: string): string {
  const ms = new Date(local).getTime()
  return Number.isNaN(ms) ? local : new Date(ms).toISOString().replace('.000Z', 'Z')
}
