import { expect, test } from 'vitest'
import { HostRest } from '../../../runtime/operations/accounts/host-rest.ts'
import { ServiceError } from '../../../runtime/sources/xrpc.ts'

const fails = (kind: 'transient' | 'repo-not-found') => () => Promise.reject(new ServiceError(kind, kind))

test('a host that fails three times in a row is left alone, and no other', async () => {
  const rest = new HostRest()
  for (let i = 0; i < 3; i++) await expect(rest.ask('a', fails('transient'))).rejects.toThrow('transient')
  let asked = 0
  const work = async () => ++asked
  await expect(rest.ask('a', work)).rejects.toMatchObject({
    kind: 'transient',
    message: expect.stringContaining('a was'),
  })
  expect(await rest.ask('b', work)).toBe(1)
})

test('answers count as answers, whatever they are, and begin the count anew', async () => {
  const rest = new HostRest()
  for (let i = 0; i < 5; i++) await expect(rest.ask('a', fails('repo-not-found'))).rejects.toThrow('repo-not-found')
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 2; i++) await expect(rest.ask('a', fails('transient'))).rejects.toThrow('transient')
    expect(await rest.ask('a', async () => 'fine')).toBe('fine')
  }
})

test('hosts that nobody has asked for long are forgotten, so that strangers cannot fill the memory', async () => {
  const rest = new HostRest()
  for (let i = 0; i < 3; i++) await expect(rest.ask('a', fails('transient'))).rejects.toThrow('transient')
  for (let i = 0; i < 10_000; i++) await rest.ask(`host ${i}`, fails('transient')).catch(() => {})
  expect(await rest.ask('a', async () => 'fine')).toBe('fine')
})
