/** What the servers under test have in common. */
import { offer } from '../rpc.ts'

/** @param listen serves the database and gives the URL */
export function offerServer(listen: (database: string) => Promise<string>) {
  const methods = {
    listen,
    /** CPU time of the process since it began, in µs. */
    cpu() {
      const { user, system } = process.cpuUsage()
      return user + system
    },
  }
  offer(methods)
  return methods
}

export type Server = ReturnType<typeof offerServer>
