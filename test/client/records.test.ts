import {
  BlobRef,
  CID,
  jsonToLex,
  type LexiconDoc,
  Lexicons,
  lexToJson,
  ValidationError,
  type ValidationResult,
} from 'lexidex/records'
import { expect, it } from 'vitest'

const doc: LexiconDoc = {
  lexicon: 1,
  id: 'com.example.photo',
  defs: {
    main: {
      type: 'record',
      key: 'tid',
      record: {
        type: 'object',
        required: ['image', 'original'],
        properties: { image: { type: 'blob' }, original: { type: 'cid-link' } },
      },
    },
  },
}

const link = { $link: 'bafkreibjfgx2gprinfvicegelk5kosd6y2frmqpqzwqkg7usac74l3t2v4' }
const photo = {
  $type: 'com.example.photo',
  image: { $type: 'blob', ref: link, mimeType: 'image/png', size: 7 },
  original: link,
}

it('has what emitted record types need to validate a record with blobs and links', () => {
  const lex = jsonToLex(photo) as { image: BlobRef; original: CID }
  expect(lex.image).toBeInstanceOf(BlobRef)
  expect(CID.asCID(lex.original)?.toString()).toBe(link.$link)
  expect(lexToJson(lex)).toEqual(photo)

  const result: ValidationResult = new Lexicons([doc]).validate('com.example.photo', lex)
  expect(result.success).toBe(true)
})

it('states what is wrong as the ValidationError exported here', () => {
  const result = new Lexicons([doc]).validate('com.example.photo', jsonToLex({ ...photo, original: 'not a link' }))
  expect(result.success).toBe(false)
  if (!result.success) expect(result.error).toBeInstanceOf(ValidationError)
})
