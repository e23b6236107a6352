/** An app whose relations have more groups than some databases take terms, arguments or parameters in one statement. */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { generate } from '../../../generator/generate.ts'
import type { App } from '../../../runtime/index.ts'
import type { Store } from '../../../runtime/storage/store.ts'
import { cacheDir, repository, scratchDirectory, writeTree } from '../../generator/support/project.ts'
import { batchOf, put } from '../../storage/app.ts'
import { databases } from '../../storage/databases.ts'
import { type Served, serveAppOn, walk } from '../support/index.ts'

const GROUPS = Array.from({ length: 24 }, (_, i) => `choice${String(i).padStart(2, '0')}`)
const POST = 'com.example.many.post'
const REACTION = 'com.example.many.reaction'

const record = (id: string, properties: object) =>
  JSON.stringify({
    lexicon: 1,
    id,
    defs: { main: { type: 'record', key: 'tid', record: { type: 'object', properties } } },
  })

const PROJECT = {
  'package.json': '{ "type": "module" }',
  'lexidex.config.ts': `import { defineConfig } from 'lexidex'
const groups = ${JSON.stringify(Object.fromEntries(GROUPS.map((group) => [group, `#${group}`])))}
export default defineConfig({
  namespace: 'com.example',
  database: ['sqlite', 'postgres'],
  profiles: [],
  collections: {
    post: { collection: '${POST}', relations: { reactions: { collection: 'reaction', field: 'subject', groupBy: 'emoji', groups } } },
    reaction: {
      collection: '${REACTION}',
      queryable: { emoji: {} },
      relations: { echoes: { collection: 'reaction', field: 'subject', groupBy: 'emoji', groups } },
      references: { post: { collection: 'post', field: 'subject' } },
    },
  },
})`,
  [`lexicons/${POST}.json`]: record(POST, { text: { type: 'string' } }),
  [`lexicons/${REACTION}.json`]: record(REACTION, {
    subject: { type: 'string', format: 'at-uri' },
    emoji: { type: 'string' },
  }),
}

let root: string
let app: App
beforeAll(async () => {
  root = scratchDirectory('lexidex-groups-')
  writeTree(root, PROJECT)
  mkdirSync(path.join(root, 'node_modules'))
  symlinkSync(repository, path.join(root, 'node_modules/lexidex'), 'dir')
  await generate({ root, cacheDir })
  const emitted = await import(path.join(root, 'src/lexidex/index.ts'))
  app = emitted.app
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe.each(databases)('$name', (database) => {
  let served: Served<Store>
  afterEach(async () => {
    await served?.close()
  })

  test('24 groups are counted, listed, sorted and embedded, and 24 in each of those', async () => {
    served = await serveAppOn(database, app)
    const [post, reaction] = ['post', 'reaction'].map((name) => app.collections.find((one) => one.name === name)!)
    const columns = Object.keys(reaction!.columns)
    const react = (rkey: string, emoji: string, subject: string) => {
      const values = columns.map((column) => (column === 'emoji' ? `#${emoji}` : subject))
      return put({ collection: reaction!, rev: 1, rkey, values, record: { subject, emoji: `#${emoji}` } })
    }
    const parent = put({ collection: post!, rev: 1, rkey: 'post', record: { text: 'one' } })
    const reactions = GROUPS.map((group) => react(group, group, parent.uri))
    const echoes = GROUPS.map((group) => react(`echo-${group}`, group, reactions[0]!.uri))
    await served.store.apply(batchOf(parent, ...reactions, ...echoes))

    const params = { hydrateReactions: 2, hydrateReactionsEchoes: 1, hydrateReactionsPost: true }
    const { records } = await served.call('post.listRecords', { limit: 5, ...params })
    expect(records).toMatchObject([{ reactionsCount: 24, reactionsChoice23Count: 1 }])
    expect(Object.keys(records[0].reactions)).toEqual(GROUPS)
    const [first] = records[0].reactions.choice00
    expect(first).toMatchObject({ echoesCount: 24, echoesChoice23Count: 1, post: { uri: parent.uri } })
    expect(Object.keys(first.echoes)).toEqual(GROUPS)
    expect(first.echoes.choice23).toMatchObject([{ rkey: 'echo-choice23', value: { emoji: '#choice23' } }])
    const plain = await served.call('post.getRecord', { uri: parent.uri, hydrateReactions: 2 })
    expect(plain.reactions.choice00).toMatchObject([{ uri: first.uri, echoesCount: 24 }])

    const emoji = GROUPS.slice(0, 20).map((group) => `#${group}`)
    const pages = await walk(served, 'reaction.listRecords', { emoji, limit: 7, hydratePost: true })
    expect(pages.flat()).toHaveLength(40)
    const sorted = await served.call('post.listRecords', {
      sort: 'reactionsChoice07Count',
      reactionsChoice23CountMin: 1,
    })
    expect(sorted.records).toHaveLength(1)
  })
})
