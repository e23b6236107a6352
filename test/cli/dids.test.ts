import { describe, expect, test } from 'vitest'
import { parseDids } from '../../generator/cli/dids.ts'

const A = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const B = 'did:web:example.com'

describe('parseDids', () => {
  test.each([
    ['lines', `${A}\n${B}\n`],
    ['a CSV with a header', `did,handle\n${A},alice.test\n${B},\n`],
    ['quotes, blanks and other line ends', `\ufeffDID\r\n\r\n "${A}" , x\r\n\t\r\n${B}`],
    ['semicolons and tabs', `${A};alice.test\n${B}\tbob.test`],
  ])('%s', (_what, text) => {
    expect(parseDids(text)).toEqual({ dids: [A, B], others: [] })
  })

  test('names what is no DID by its line', () => {
    expect(parseDids(`did\n${A}\nalice.test,x\n\n${B}\ndid:\n`)).toEqual({
      dids: [A, B],
      others: [
        { line: 3, text: 'alice.test,x' },
        { line: 6, text: 'did:' },
      ],
    })
  })
})
