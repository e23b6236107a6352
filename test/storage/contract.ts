import { describe } from 'vitest'
import { accountContract } from './account-contract.ts'
import { bookkeepingContract } from './bookkeeping-contract.ts'
import type { OpenDatabase } from './harness.ts'
import { leaseContract } from './lease-contract.ts'
import { writeProperties } from './properties.ts'
import { recordContract } from './record-contract.ts'
import { searchContract } from './search-contract.ts'
import { verifiedContract } from './verified-contract.ts'
import { versionContract } from './version-contract.ts'

/**
 * All that storage promises, on one database.
 *
 * @param runs random cases per property
 */
export function storageContract(name: string, open: OpenDatabase, runs: number): void {
  describe(`${name}: accounts`, () => accountContract(open))
  describe(`${name}: records`, () => recordContract(open))
  describe(`${name}: comparisons`, () => verifiedContract(open, runs))
  describe(`${name}: searches`, () => searchContract(open))
  describe(`${name}: bookkeeping`, () => bookkeepingContract(open))
  describe(`${name}: leases`, () => leaseContract(open))
  describe(`${name}: versions`, () => versionContract(open))
  describe(`${name}: properties of writes`, () => writeProperties(open, runs))
}
