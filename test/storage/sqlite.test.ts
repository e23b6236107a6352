import { describe } from 'vitest'
import { accountContract } from './account-contract.ts'
import { bookkeepingContract } from './bookkeeping-contract.ts'
import { writeProperties } from './properties.ts'
import { recordContract } from './record-contract.ts'
import { openSqlite } from './sqlite-harness.ts'

const inline = () => openSqlite('inline')
const thread = () => openSqlite('thread')

describe('sqlite: accounts', () => accountContract(inline))
describe('sqlite: records', () => recordContract(inline))
describe('sqlite: bookkeeping', () => bookkeepingContract(inline))
describe('sqlite: properties of writes', () => writeProperties(inline, 60))

describe('sqlite, on a thread: accounts', () => accountContract(thread))
describe('sqlite, on a thread: records', () => recordContract(thread))
describe('sqlite, on a thread: bookkeeping', () => bookkeepingContract(thread))
describe('sqlite, on a thread: properties of writes', () => writeProperties(thread, 5))
