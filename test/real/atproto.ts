import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AtpAgent } from '@atproto/api'
import { envToCfg, envToSecrets, PDS } from '@atproto/pds'
import { Database, PlcServer } from '@did-plc/server'

export interface RealNetwork {
  /** `http://localhost:<port>` of a real PLC directory, with its operations in memory. */
  readonly plcUrl: string
  /** `http://localhost:<port>` of a real PDS, as it stands in the DID documents. */
  readonly pdsUrl: string
  /**
   * Creates an account and logs it in.
   *
   * @param handle under `.test`, such as `alice.test`
   */
  createAccount(handle: string): Promise<RealAccount>
  /** Headers for the `com.atproto.admin.*` methods: takedowns, deletions. */
  readonly adminHeaders: Record<string, string>
  /** Stops both and removes their files. */
  close(): Promise<void>
}

export interface RealAccount {
  readonly did: string
  readonly handle: string
  readonly password: string
  /** Logged in. */
  readonly agent: AtpAgent
}

/**
 * A real PLC and a real PDS in this process: signed commits, repo trees, DID operations, sessions. No mail, no
 * invites, no rate limits. Set `LOG_ENABLED=1` to see what they log.
 */
export async function startRealNetwork(): Promise<RealNetwork> {
  const plc = PlcServer.create({ db: Database.mock(), port: 0 })
  const plcPort = ((await plc.start()).address() as AddressInfo).port
  const plcUrl = `http://localhost:${plcPort}`

  const directory = await mkdtemp(join(tmpdir(), 'lexidex-pds-'))
  const adminPassword = secret()
  const env = {
    // The PDS puts its port into DID documents before it listens, so that 0 is no choice.
    port: await freePort(),
    hostname: 'localhost',
    serviceHandleDomains: ['.test'],
    devMode: true,
    inviteRequired: false,
    didPlcUrl: plcUrl,
    dataDirectory: directory,
    blobstoreDiskLocation: join(directory, 'blobs'),
    jwtSecret: secret(),
    adminPassword,
    plcRotationKeyK256PrivateKeyHex: secret(),
  }
  const pds = await PDS.create(envToCfg(env), envToSecrets(env))
  await pds.start()
  const pdsUrl = pds.ctx.cfg.service.publicUrl

  return {
    plcUrl,
    pdsUrl,
    adminHeaders: { authorization: `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}` },
    async createAccount(handle) {
      const agent = new AtpAgent({ service: pdsUrl })
      const password = secret()
      const { data } = await agent.createAccount({ handle, password, email: `${handle}@example.com` })
      return { did: data.did, handle, password, agent }
    },
    async close() {
      await pds.destroy()
      await plc.destroy()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const secret = () => randomBytes(32).toString('hex')

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
