/** For errors about addresses. */
export const NOT_PUBLIC_HINT = 'If the host is your own, name it in `allowHosts`.'

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

interface Network {
  readonly bits: bigint
  readonly prefix: number
}

const DECIMAL = /^(?:0|[1-9]\d{0,2})$/
const GROUP = /^[0-9a-f]{1,4}$/i

const ipv4Special = IPV4_SPECIAL.map(([net, prefix]): Network => ({ bits: readIpv4(net)!, prefix }))
const ipv6Special = IPV6_SPECIAL.map(([net, prefix]): Network => ({ bits: readIpv6(net)!, prefix }))
const ipv6Global: Network = { bits: readIpv6('2000::')!, prefix: 3 }

/** Whether an IP address is on the public internet. False for what is no address. */
export function isPublicAddress(address: string): boolean {
  const ipv4 = readIpv4(address)
  if (ipv4 !== null) return !ipv4Special.some((network) => isIn(ipv4, network, 32))
  const ipv6 = readIpv6(address)
  return ipv6 !== null && isIn(ipv6, ipv6Global, 128) && !ipv6Special.some((network) => isIn(ipv6, network, 128))
}

/** Whether it is an IP address, of whatever kind. */
export function isAddress(host: string): boolean {
  return readIpv4(host) !== null || readIpv6(host) !== null
}

function isIn(bits: bigint, network: Network, length: number): boolean {
  const rest = BigInt(length - network.prefix)
  return bits >> rest === network.bits >> rest
}

/** Four decimal numbers: the one form that cannot be read in two ways. */
function readIpv4(text: string): bigint | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => DECIMAL.test(part) && Number(part) < 256)) return null
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n)
}

/** A zone (`%eth0`) is left out of account: it says which way to go, not where. */
function readIpv6(text: string): bigint | null {
  let address = text.replace(/%[\w.-]+$/, '')
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)
  if (dotted !== null) {
    const ipv4 = readIpv4(dotted[2]!)
    if (ipv4 === null) return null
    address = `${dotted[1]}${(ipv4 >> 16n).toString(16)}:${(ipv4 & 0xffffn).toString(16)}`
  }
  const halves = address.split('::').map((half) => (half === '' ? [] : half.split(':')))
  if (halves.length > 2) return null
  const [head = [], tail = []] = halves
  const missing = 8 - head.length - tail.length
  // `::` stands for one group at least.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail]
  if (!groups.every((group) => GROUP.test(group))) return null
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n)
}
