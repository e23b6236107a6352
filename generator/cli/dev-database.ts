import { existsSync, renameSync, rmSync } from 'node:fs'
import { isUpToDate } from './emitted.ts'
import { note } from './output.ts'
import { display, isUrl, type Project } from './project.ts'

/** A database in WAL mode, and what belongs to it. */
const ENDINGS = ['', '-wal', '-shm']

/**
 * Renames a database that was made for other tables than the project's, as after a change of the config whose migration
 * was not shipped yet. The index then begins with an empty one.
 */
export async function setAsideOutdated(project: Project, database: string): Promise<void> {
  // A server's database is not ours to rename.
  if (isUrl(database) || (await isUpToDate(project, database))) return
  const aside = `${database}.old`
  for (const ending of ENDINGS) {
    rmSync(aside + ending, { force: true })
    if (existsSync(database + ending)) renameSync(database + ending, aside + ending)
  }
  note(
    `${display(database)} has other tables than the config asks for: it is ${display(aside)} now, and a new one is filled.`,
  )
}
