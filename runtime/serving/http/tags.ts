/** Whether a list of tags, as `if-none-match` has it, holds one: strong or weak is the same here, and `*` is any. */
export function hasTag(list: string, etag: string): boolean {
  if (list.trim() === '*') return true
  const wanted = opaque(etag)
  return list.split(',').some((tag) => opaque(tag.trim()) === wanted)
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}
