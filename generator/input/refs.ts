/** A reference inside the document `nsid`, taken apart: `#x` is local, `a.b.c` means `a.b.c#main`. */
export function parseRef(ref: string, nsid: string): { nsid: string; name: string } {
  const [id, name] = ref.replace(/^lex:/, '').split('#', 2)
  return { nsid: id === '' || id === undefined ? nsid : id, name: name === undefined || name === '' ? 'main' : name }
}
