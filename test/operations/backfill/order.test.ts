import { expect, test } from 'vitest'
import type { CollectionDef } from '../../../runtime/core/collection.ts'
import { parentsFirst } from '../../../runtime/operations/backfill/order.ts'

/** `name: relations to children / references to parents` */
function collections(...lines: string[]): CollectionDef[] {
  return lines.map((line) => {
    const [name, children = '', parents = ''] = line.split(/[:/]/).map((part) => part.trim())
    const to = (names: string) =>
      Object.fromEntries(
        names
          .split(' ')
          .filter(Boolean)
          .map((collection) => [collection, { collection, column: 'x', match: 'uri' as const }]),
      )
    return {
      name: name!,
      nsid: `com.example.${name}`,
      table: name!,
      columns: {},
      counts: {},
      relations: to(children),
      references: to(parents),
      validate: 'off',
      discover: true,
    }
  })
}

const order = (...lines: string[]) =>
  parentsFirst(collections(...lines))
    .map((nsid) => nsid.split('.').at(-1))
    .join(' ')

test.each([
  ['keeps the order of the config where nothing says otherwise', ['b', 'a', 'c'], 'b a c'],
  ['by relations, which parents state', ['child', 'parent: child'], 'parent child'],
  ['by references, which children state', ['child: / parent', 'parent'], 'parent child'],
  [
    'over several levels',
    ['post: / board', 'board: / category', 'category: / forum', 'forum'],
    'forum category board post',
  ],
  ['in a circle', ['a: / b', 'b: / a', 'c: / a'], 'b a c'],
  ['of itself', ['a: a', 'b: / b'], 'a b'],
  ['of collections that are not there', ['a: gone', 'b: / gone'], 'a b'],
])('%s', (_what, lines, expected) => {
  expect(order(...lines)).toBe(expected)
})
