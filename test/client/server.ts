import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void

export interface TestServer {
  readonly url: string
  /** What was asked so far, oldest first. */
  readonly requests: { url: URL; headers: IncomingMessage['headers'] }[]
}

/** Serves on loopback until the test ends. Request `n` gets answer `n`; the last answer goes on. */
export async function serve(...answers: Answer[]): Promise<TestServer> {
  const requests: TestServer['requests'] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    requests.push({ url, headers: request.headers })
    const answer = answers[Math.min(requests.length, answers.length) - 1]
    answer?.(request, response, url)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

/** Answers with `body`: text as it is, anything else as JSON. */
export function reply(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    const text = typeof body === 'string'
    response.writeHead(status, { 'content-type': text ? 'text/html' : 'application/json', ...headers })
    response.end(text ? body : JSON.stringify(body))
  }
}

/** Closes the connection without an answer. */
export const hangUp: Answer = (request) => void request.socket.destroy()

/** Closes the connection in the middle of the body. */
export const breakOff: Answer = (request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
  response.write('{"half":', () => request.socket.destroy())
}

/** A refused port: nothing listens there. */
export async function closedPort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

/** What the promise throws; fails where it does not throw. */
export async function thrown(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('Expected an error, none was thrown.')
}
