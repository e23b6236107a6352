import { BlockList, isIP } from 'node:net'

/** IPv4 that is not on the public internet. @see https://www.iana.org/assignments/iana-ipv4-special-registry */
const IPV4_SPECIAL: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/**
 * Parts of 2000::/3 that are not plain internet: tunnels (Teredo, 6to4) that hide an IPv4 address, documentation.
 * All outside 2000::/3 is refused anyway: loopback, link-local, unique-local, multicast, IPv4-mapped, NAT64.
 *
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const IPV6_SPECIAL: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const ipv4Special = new BlockList()
for (const [net, prefix] of IPV4_SPECIAL) ipv4Special.addSubnet(net, prefix, 'ipv4')
const ipv6Special = new BlockList()
for (const [net, prefix] of IPV6_SPECIAL) ipv6Special.addSubnet(net, prefix, 'ipv6')
const ipv6Global = new BlockList()
ipv6Global.addSubnet('2000::', 3, 'ipv6')

/** Whether an IP address is on the public internet. False for what is no address. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !ipv4Special.check(address, 'ipv4')
    case 6:
      return ipv6Global.check(address, 'ipv6') && !ipv6Special.check(address, 'ipv6')
    default:
      return false
  }
}
