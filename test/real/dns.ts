/** A name server on loopback that knows TXT records, and has nothing else. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

export interface NameServer {
  /** Value of the TXT record by name; may be changed at any time. */
  readonly txt: Map<string, string>
  /** For NODE_OPTIONS: a process that looks up by this server alone. */
  readonly nodeOptions: string
  close(): Promise<void>
}

const TXT = 16
const IN = 1
const NXDOMAIN = 3

export async function startNameServer(): Promise<NameServer> {
  const txt = new Map<string, string>()
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => socket.send(answer(query, txt), port, address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const script = `import dns from 'node:dns'; dns.setServers(['127.0.0.1:${socket.address().port}'])`
  return {
    txt,
    nodeOptions: `--import=data:text/javascript,${encodeURIComponent(script)}`,
    async close() {
      socket.close()
      await once(socket, 'close')
    },
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc1035#section-4 */
function answer(query: Buffer, txt: ReadonlyMap<string, string>): Buffer {
  const labels: string[] = []
  let at = 12
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const question = query.subarray(12, at + 5)
  const value = query.readUInt16BE(at + 1) === TXT ? txt.get(labels.join('.').toLowerCase()) : undefined
  const header = Buffer.from(query.subarray(0, 12))
  // A response, authoritative, to what was asked; of additional records none.
  header.writeUInt16BE(0x8580 | (value === undefined ? NXDOMAIN : 0), 2)
  header.writeUInt16BE(value === undefined ? 0 : 1, 6)
  header.writeUInt32BE(0, 8)
  return Buffer.concat([header, question, ...(value === undefined ? [] : [txtRecord(value)])])
}

function txtRecord(value: string): Buffer {
  const text = Buffer.from(value)
  const record = Buffer.alloc(13)
  // The name: that of the question.
  record.writeUInt16BE(0xc00c, 0)
  record.writeUInt16BE(TXT, 2)
  record.writeUInt16BE(IN, 4)
  record.writeUInt32BE(0, 6)
  record.writeUInt16BE(text.length + 1, 10)
  record.writeUInt8(text.length, 12)
  return Buffer.concat([record, text])
}
