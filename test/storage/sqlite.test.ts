import { storageContract } from './contract.ts'
import { openSqlite } from './sqlite-harness.ts'

storageContract('sqlite', () => openSqlite('inline'), 60)
storageContract('sqlite, on a thread', () => openSqlite('thread'), 5)
