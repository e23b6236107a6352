import type { FaultRequest, HttpFault, Reply } from '../../../fixtures/network/index.ts'
import type { Random } from '../../../fixtures/network/random.ts'
import { pause } from './index.ts'

/** What a host can do instead of answering as it should. */
type Fault = (
  request: FaultRequest,
  answer: () => Promise<Reply>,
) => Reply | 'hangup' | undefined | Promise<Reply | 'hangup' | undefined>

const error = (status: number, name: string): Reply => ({ status, body: { error: name, message: 'not now' } })

const bodyOf = async (answer: () => Promise<Reply>) => {
  const reply = await answer()
  const isPage = (reply.status ?? 200) === 200 && typeof reply.body === 'object' && !(reply.body instanceof Uint8Array)
  return isPage ? (reply.body as Record<string, unknown>) : null
}

/** Faults of any answer in JSON; how often each is met, besides an answer as it should be. */
export const FAULTS: Readonly<Record<string, { readonly weight: number; readonly fault: Fault }>> = {
  honest: { weight: 80, fault: () => undefined },
  slow: { weight: 8, fault: () => pause(60).then(() => undefined) },
  unavailable: { weight: 3, fault: () => error(503, 'NotAvailable') },
  broken: { weight: 2, fault: () => ({ status: 500, body: 'Internal Server Error' }) },
  limited: { weight: 1, fault: () => ({ ...error(429, 'RateLimitExceeded'), headers: { 'retry-after': '0' } }) },
  'limited without a header': { weight: 1, fault: () => ({ status: 429, body: 'Too Many Requests' }) },
  'limited from now on': {
    weight: 1,
    async fault(_request, answer) {
      return { ...(await answer()), headers: { 'ratelimit-remaining': '0', 'ratelimit-reset': '1' } }
    },
  },
  hangup: { weight: 3, fault: () => 'hangup' },
  'half an answer': {
    weight: 3,
    async fault(_request, answer) {
      const { body, ...reply } = await answer()
      if (body instanceof Uint8Array) return { ...reply, body: body.subarray(0, body.length >> 1) }
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      return { ...reply, body: text.slice(0, text.length >> 1) }
    },
  },
  garbage: { weight: 2, fault: () => ({ body: '<html>Welcome</html>' }) },
  'another shape': {
    weight: 2,
    fault: () => ({ body: { records: null, repos: 7, active: 'yes', rev: 'now', cid: 1 } }),
  },
  'an empty object': { weight: 2, fault: () => ({ body: {} }) },
  'a cursor again': {
    weight: 4,
    async fault({ params }, answer) {
      const body = await bodyOf(answer)
      const cursor = params.get('cursor')
      return body === null || cursor === null ? undefined : { body: { ...body, cursor } }
    },
  },
  'nothing, and a cursor': {
    weight: 4,
    async fault({ params, method }, answer) {
      const body = await bodyOf(answer)
      const cursor = params.get('cursor')
      if (body === null || cursor === null || !/list/.test(method)) return
      return { body: { records: [], repos: [], cursor } }
    },
  },
  'a refusal in words of its own': { weight: 1, fault: () => error(400, 'InvalidRequest') },
  'a refusal of the whole account': { weight: 1, fault: () => error(400, 'RepoDeactivated') },
  'a refusal by a proxy': { weight: 1, fault: () => ({ status: 403, body: 'Forbidden' }) },
}

/** Does one of `faults` at random to each request, and tells which. */
export function randomFaults(random: Random, names: readonly string[] = Object.keys(FAULTS)): HttpFault {
  const weights = Object.fromEntries(names.map((name) => [name, FAULTS[name]!.weight]))
  return (request, answer) => FAULTS[random.weighted(weights)]!.fault(request, answer)
}
