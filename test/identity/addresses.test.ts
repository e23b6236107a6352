import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isAddress, isPublicAddress } from '../../runtime/core/addresses.ts'

const HIDDEN = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '198.18.0.1',
  '198.51.100.7',
  '203.0.113.9',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::ffff:7f00:1',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '100::1',
  'fe80::1',
  'fc00::1',
  'fd12:3456::1',
  'ff02::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  '3fff::1',
]

const PUBLIC = ['1.1.1.1', '8.8.8.8', '172.15.0.1', '172.32.0.1', '192.169.0.1', '2606:4700::1111', '2a00:1450:4001::1']

describe('isPublicAddress', () => {
  test.each(HIDDEN)('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  test.each(PUBLIC)('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  test('what is no address is not public', () => {
    for (const text of ['', 'localhost', '1.2.3', '0x7f.1', '[::1]']) expect(isPublicAddress(text)).toBe(false)
  })

  test('an IPv4 address wrapped in IPv6 is never public', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(isPublicAddress(`::ffff:${address}`)).toBe(false)
      }),
    )
  })
})

describe('addresses are read as Node reads them', () => {
  const group = fc.constantFrom('0', '1', 'ffff', '2001', 'db8', '7f00', '00ab', 'g', '12345', '')
  const odd = fc.oneof(
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.ipV6(),
    fc
      .array(fc.constantFrom('0', '1', '127', '255', '256', '01', 'x', ''), { maxLength: 5 })
      .map((parts) => parts.join('.')),
    fc.array(group, { maxLength: 9 }).map((parts) => parts.join(':')),
    fc
      .tuple(fc.array(group, { maxLength: 4 }), fc.array(group, { maxLength: 4 }))
      .map((halves) => halves.map((h) => h.join(':')).join('::')),
    fc.tuple(fc.constantFrom('::', '::ffff:', '1:2:3:4:5:6:', '2001:'), fc.ipV4()).map((parts) => parts.join('')),
  )

  test('whether it is one', () => {
    fc.assert(
      fc.property(odd, (text) => {
        expect(isAddress(text), text).toBe(isIP(text) !== 0)
      }),
      { numRuns: 3000 },
    )
  })

  test('which network it is in', () => {
    const global = new BlockList()
    global.addSubnet('2000::', 3, 'ipv6')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV6(),
          fc.ipV6().map((text) => text.replace(/^[^:]*/, '2400')),
        ),
        (text) => {
          if (!global.check(text, 'ipv6')) expect(isPublicAddress(text), text).toBe(false)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
