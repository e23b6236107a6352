/**
 * What the emitted record types (`records/`) import: one name for it, so that an app needs
 * neither `@atproto/lexicon` nor `multiformats` among its own dependencies.
 */

export {
  BlobRef,
  jsonStringToLex,
  jsonToLex,
  type LexiconDoc,
  Lexicons,
  lexToJson,
  stringifyLex,
  ValidationError,
  type ValidationResult,
} from '@atproto/lexicon'
export { CID } from 'multiformats/cid'
