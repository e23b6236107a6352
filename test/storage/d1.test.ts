import { afterAll } from 'vitest'
import { storageContract } from './contract.ts'
import { D1Server } from './d1-harness.ts'

const server = new D1Server()
afterAll(() => server.close())

storageContract('d1', server.open, 5)
