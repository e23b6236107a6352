import type { D1Answer, D1Binding, D1Statement } from '../../runtime/storage/d1/binding.ts'

interface Written {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** What workerd runs to be asked from other processes: a batch in, its answers out, at a path for each database. */
export const REMOTE_WORKER = `export default {
  async fetch(request, env) {
    const database = env[new URL(request.url).pathname.slice(1)]
    const statements = (await request.json()).map(({ sql, values }) => database.prepare(sql).bind(...values))
    try {
      return Response.json(await database.batch(statements))
    } catch (error) {
      return new Response(error.message, { status: 500 })
    }
  },
}`

/** A binding of a D1 database of a process that goes on when this one is killed. Its batches are transactions there. */
export function remoteD1(url: string): D1Binding {
  const batch = async (statements: readonly D1Statement[]): Promise<D1Answer[]> => {
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(statements) })
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as D1Answer[]
  }
  const statement = (written: Written): D1Statement & Written => ({
    ...written,
    bind: (...values) => statement({ ...written, values }),
    async all() {
      const [answer] = await batch([this])
      return answer!
    },
  })
  return { prepare: (sql) => statement({ sql, values: [] }), batch }
}
