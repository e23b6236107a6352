import { storageContract } from './contract.ts'
import { openPartitioned, openPostgres } from './postgres-harness.ts'

storageContract('postgres', openPostgres, 6)
storageContract('postgres, partitioned', openPartitioned, 6)
