import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { app } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { createSqliteStore, madeBy } from '../../runtime/storage/sqlite/index.ts'

const migrations = app.migrations.sqlite!
const [init] = migrations

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lexidex-made-by-'))
  file = path.join(folder, 'index.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true }))

async function make(load = false): Promise<void> {
  const store = createSqliteStore(file, { writer: 'inline' })
  store.migrate(migrations)
  store.use(app.collections)
  if (load) expect(await store.bulk!.begin()).toBe(true)
  await store.close()
}

const changed = (from: string, to: string) => [
  { ...init!, statements: init!.statements.map((statement) => statement.replaceAll(from, to)) },
]

test('a database that is not there yet, or was made by them', async () => {
  expect(madeBy(file, migrations)).toBe(true)
  createSqliteStore(file).close()
  expect(madeBy(file, migrations)).toBe(true)
  await make()
  expect(madeBy(file, migrations)).toBe(true)
})

test('one that lacks a later migration still gets it', async () => {
  await make()
  expect(madeBy(file, [...migrations, { name: '9999_later', statements: ['CREATE TABLE later (a)'] }])).toBe(true)
})

test('one that a bulk load has taken indexes and triggers from', async () => {
  await make(true)
  expect(madeBy(file, migrations)).toBe(true)
})

test('not one whose tables, indexes or triggers are other ones now', async () => {
  await make()
  const trigger = init!.statements.find((statement) => statement.startsWith('CREATE TRIGGER'))!
  const index = init!.statements.find((statement) => statement.startsWith('CREATE INDEX'))!
  expect(madeBy(file, changed('starts_at', 'begins_at'))).toBe(false)
  expect(madeBy(file, changed(trigger, ''))).toBe(false)
  expect(madeBy(file, changed(index, ''))).toBe(false)
  expect(madeBy(file, [{ ...init!, statements: [...init!.statements, 'CREATE TABLE more (a)'] }])).toBe(false)
})

test('not one of another app', async () => {
  await make()
  expect(madeBy(file, [{ name: '0001_other', statements: [] }])).toBe(false)
})
