import { storageContract } from './contract.ts'
import { openPostgres } from './postgres-harness.ts'

storageContract('postgres', openPostgres, 6)
