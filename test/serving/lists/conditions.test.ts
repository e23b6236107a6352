import {
  DummyDriver,
  expressionBuilder,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import { expect, test } from 'vitest'
import { allOf } from '../../../runtime/serving/lists/conditions.ts'

const db = new Kysely<any>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (of) => new SqliteIntrospector(of),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

test.each([1, 32, 33, 97, 1000])('%i conditions are all there, and nest no deeper than D1 takes', (count) => {
  const eb = expressionBuilder<any, any>()
  const conditions = Array.from({ length: count }, (_, i) => eb(sql.ref(`c${i}`), '=', sql.lit(i)))
  const { sql: text } = db.selectFrom('t').selectAll().where(allOf(conditions)).compile()
  expect(text.match(/"c\d+" = \d+/g)).toEqual(conditions.map((_, i) => `"c${i}" = ${i}`))
  const inRow = text.split(/[()]/).map((part) => part.split(' and ').length)
  expect(Math.max(...inRow)).toBeLessThanOrEqual(34)
})
