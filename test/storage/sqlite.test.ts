import { describe } from 'vitest'
import { bookkeepingContract } from './bookkeeping-contract.ts'
import { writeProperties } from './properties.ts'
import { recordContract } from './record-contract.ts'
import { openSqlite } from './sqlite-harness.ts'

describe('sqlite: records', () => recordContract(openSqlite))
describe('sqlite: bookkeeping', () => bookkeepingContract(openSqlite))
describe('sqlite: properties of writes', () => writeProperties(openSqlite, 60))
