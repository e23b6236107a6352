/** One Postgres for a whole run of the tests, started by the first test that asks for it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { type PostgresServer, startPostgres } from './server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers with the URL of the server. */
    postgresAt: string
  }
}

export default function setup(project: TestProject) {
  let started: Promise<PostgresServer> | null = null
  const desk = createServer(async (_, response) => {
    try {
      started ??= startPostgres()
      response.end((await started).url)
    } catch (error) {
      response.writeHead(500).end(String(error))
    }
  })
  return new Promise<() => Promise<void>>((resolve) => {
    desk.listen(0, '127.0.0.1', () => {
      project.provide('postgresAt', `http://127.0.0.1:${(desk.address() as AddressInfo).port}`)
      resolve(async () => {
        desk.close()
        await started?.then(
          (server) => server.stop(),
          () => {},
        )
      })
    })
  })
}
