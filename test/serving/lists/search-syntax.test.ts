import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { XrpcError } from '../../../runtime/core/errors.ts'
import { compileAnyWord, compileSearch } from '../../../runtime/storage/sqlite/search.ts'

test.each([
  ['red', '"red"'],
  ['  red   blue ', '"red" AND "blue"'],
  ['red OR blue', '("red") OR ("blue")'],
  ['red blue OR green', '("red" AND "blue") OR ("green")'],
  ['red -blue', '("red") NOT ("blue")'],
  ['-blue red -"deep green"', '("red") NOT ("blue" OR "deep green")'],
  ['"red wine"', '"red wine"'],
  ['"red OR wine" or', '"red OR wine" AND "or"'],
  ['gre*', '"gre"*'],
  ['"red wi"*', '"red wi"*'],
  ['-gre* red', '("red") NOT ("gre"*)'],
  ['rock-n-roll c++', '"rock-n-roll" AND "c++"'],
  ['name:red ^red red^2 (red)', '"name:red" AND "^red" AND "red^2" AND "(red)"'],
  ['NEAR(red blue) AND NOT', '"NEAR(red" AND "blue)" AND "AND" AND "NOT"'],
  ['red & blue', '"red" AND "blue"'],
  ['red - blue', '"red" AND "blue"'],
  ['red"blue wine"green', '"red" AND "blue wine" AND "green"'],
  ["don't", '"don\'t"'],
  ['naïve 東京', '"naïve" AND "東京"'],
])('%s', (search, compiled) => {
  expect(compileSearch(search)).toBe(compiled)
})

test.each([
  ['', 'there is no word'],
  ['   ', 'there is no word'],
  ['& * "" - --', 'there is no word'],
  ['-red', 'beside what is excluded'],
  ['red OR -blue', 'beside what is excluded'],
  ['OR', 'OR needs a word'],
  ['red OR', 'OR needs a word'],
  ['OR red', 'OR needs a word'],
  ['red OR OR blue', 'OR needs a word'],
  ['"red', 'a quotation mark is missing'],
  ['red"', 'a quotation mark is missing'],
  ['"red" "', 'a quotation mark is missing'],
  ['r*', 'a prefix needs at least 2 characters'],
  ['"red w"*', 'a prefix needs at least 2 characters'],
  ['word '.repeat(65), 'more than 64 words'],
])('refuses %s', (search, problem) => {
  expect(() => compileSearch(search)).toThrow(problem)
  expect(() => compileSearch(search)).toThrow(XrpcError)
  expect(() => compileAnyWord(search)).toThrow(problem)
})

test('any word: each by itself, those of phrases and those excluded too', () => {
  expect(compileAnyWord('red "deep blue" -rock-n-roll OR gre* red')).toBe(
    '"red" OR "deep" OR "blue" OR "rock" OR "n" OR "roll" OR "gre"*',
  )
  expect(compileAnyWord('"red wi"*')).toBe('"red" OR "wi"*')
})

test('FTS5 understands whatever is compiled', () => {
  const db = new DatabaseSync(':memory:')
  db.exec("CREATE VIRTUAL TABLE words USING fts5 (a, b, content = '', contentless_delete = 1)")
  db.exec("INSERT INTO words (rowid, a, b) VALUES (1, 'red wine', 'or blue'), (2, 'naïve', '東京')")
  const statement = db.prepare('SELECT rowid, rank FROM words WHERE words MATCH ?')
  const piece = fc.oneof(
    fc.constantFrom('red', 'OR', 'AND', 'NOT', 'NEAR', '"', '*', '-', '(', ')', ':', '^', '+', '{', '}', ',', "'", ' '),
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.string({ unit: fc.constantFrom('\0', '\u0301', '\u200d', '\ud800', '\ue000', '\u{10ffff}', '٣', '²', 'a') }),
  )
  const search = fc
    .array(piece, { maxLength: 12 })
    .chain((pieces) => fc.constantFrom(pieces.join(' '), pieces.join('')))
  fc.assert(
    fc.property(search, (text) => {
      for (const compile of [compileSearch, compileAnyWord]) {
        let compiled: string
        try {
          compiled = compile(text)
        } catch (error) {
          expect(error).toBeInstanceOf(XrpcError)
          continue
        }
        statement.all(compiled)
      }
    }),
    { numRuns: 3000 },
  )
  db.close()
})
