/** The ceiling: rows that are ready, written as a bulk load writes them, and counted and indexed at its end. */
import type { SQLInputValue } from 'node:sqlite'
import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { migrations } from '../../../fixtures/apps/calendar/src/lexidex/migrations/index.ts'
import { beginLoad, endLoad } from '../../../runtime/storage/sqlite/bulk.ts'
import { openDatabase } from '../../../runtime/storage/sqlite/connection.ts'
import { migrate } from '../../../runtime/storage/sqlite/migrate.ts'
import { tableOf } from '../../../runtime/storage/sqlite/tables.ts'
import { offer } from '../rpc.ts'

const BATCH = 1000

const methods = {
  /** @param from a database that holds the records; they are read before the clock runs */
  load(from: string, to: string): { readonly seconds: number } {
    const tables = app.collections.map(tableOf)
    const source = openDatabase(from, { readonly: true })
    const work = tables.map(({ table, columns }) => {
      const names = ['uri', 'did', 'rkey', 'cid', 'rev', 'indexed_at', 'sort_at', ...columns, 'record']
      const statement = source.prepare(`SELECT ${names.join(', ')} FROM ${table}`)
      statement.setReturnArrays(true)
      const sql = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
      return { sql, rows: statement.all() as unknown as SQLInputValue[][] }
    })
    source.close()
    const db = openDatabase(to)
    migrate(db, migrations.sqlite, { busyTimeoutMs: 5000, now: Date.now() })
    const startedAt = performance.now()
    beginLoad(db, tables, Date.now())
    for (const { sql, rows } of work) {
      const insert = db.prepare(sql)
      for (let i = 0; i < rows.length; i += BATCH) {
        db.exec('BEGIN IMMEDIATE')
        for (const row of rows.slice(i, i + BATCH)) insert.run(...row)
        db.exec('COMMIT')
      }
    }
    endLoad(db)
    const seconds = (performance.now() - startedAt) / 1000
    db.close()
    return { seconds }
  },
}

export type Raw = typeof methods

offer(methods)
