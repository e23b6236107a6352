import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type LexiconDoc, parseLexiconDoc } from '@atproto/lexicon'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reachable } from '../../../generator/input/closure.ts'
import { loadLexicons } from '../../../generator/input/lexicons.ts'
import type { LexiconSource } from '../../../generator/input/sources.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'lexidex-'))
})

afterEach(() => rmSync(root, { recursive: true }))

function write(file: string, content: unknown): void {
  const at = path.join(root, file)
  mkdirSync(path.dirname(at), { recursive: true })
  writeFileSync(at, typeof content === 'string' ? content : JSON.stringify(content))
}

function source(name: string, kind: LexiconSource['kind'] = 'directory'): LexiconSource {
  return { kind, name, path: path.join(root, name) }
}

const doc = (id: string, properties: object = {}) => ({
  lexicon: 1,
  id,
  defs: { main: { type: 'record', key: 'tid', record: { type: 'object', properties } } },
})

describe('loadLexicons', () => {
  it('finds documents at any depth and sorts them by NSID', async () => {
    write('lexicons/z/deep/er.json', doc('com.example.a'))
    write('lexicons/a.json', doc('com.example.z'))
    write('lexicons/node_modules/x.json', doc('com.example.x'))
    write('lexicons/.git/x.json', doc('com.example.x'))
    symlinkSync('..', path.join(root, 'lexicons/z/circle'))
    const { docs, issues } = await loadLexicons([source('lexicons')])
    expect(docs.map((d) => d.id)).toEqual(['com.example.a', 'com.example.z'])
    expect(issues).toEqual([])
  })

  it('leaves out what is generated', async () => {
    write('src/lexidex/lexicons/list.json', doc('com.example.list'))
    write('src/lexicons/a.json', doc('com.example.a'))
    const { docs } = await loadLexicons([{ ...source('src'), except: path.join(root, 'src/lexidex') }])
    expect(docs.map((d) => d.id)).toEqual(['com.example.a'])
  })

  it('reads packages, whose other JSON is nobody’s concern', async () => {
    write('node_modules/lex/package.json', { name: 'lex' })
    write('node_modules/lex/dist/data.json', { anything: 1 })
    write('node_modules/lex/lexicons/a.json', doc('com.example.a'))
    const { docs, issues } = await loadLexicons([{ ...source('node_modules/lex', 'package'), name: 'lex' }])
    expect(docs.map((d) => d.id)).toEqual(['com.example.a'])
    expect(issues).toEqual([])
  })

  it('takes the same document twice', async () => {
    write('one/a.json', doc('com.example.a'))
    write('two/copy.json', `\uFEFF${JSON.stringify(doc('com.example.a'), null, 4)}`)
    const { docs, issues } = await loadLexicons([source('one'), source('two')])
    expect(docs).toHaveLength(1)
    expect(issues).toEqual([])
  })

  it('names both files of two documents of one NSID', async () => {
    write('one/a.json', doc('com.example.a'))
    write('two/b.json', doc('com.example.a', { x: { type: 'string' } }))
    const { docs, issues } = await loadLexicons([source('one'), source('two')])
    expect(docs).toHaveLength(1)
    expect(issues).toEqual([
      expect.objectContaining({ severity: 'error', code: 'duplicate-lexicon', path: 'com.example.a' }),
    ])
    expect(issues[0]!.message).toContain('one/a.json and two/b.json')
  })

  it('only warns of two documents that nobody needs', async () => {
    write('one/a.json', doc('com.example.a', { b: { type: 'ref', ref: 'com.example.b' } }))
    for (const nsid of ['com.example.b', 'com.example.c']) {
      write(`one/${nsid}.json`, doc(nsid))
      write(`two/${nsid}.json`, doc(nsid, { x: { type: 'string' } }))
    }
    const { issues } = await loadLexicons([source('one'), source('two')], { needed: ['com.example.a'] })
    expect(issues.map((issue) => `${issue.severity} ${issue.path}`)).toEqual([
      'error com.example.b',
      'warning com.example.c',
    ])
  })

  describe('files that hold no document', () => {
    const cases: [name: string, file: string, content: unknown, code: string, message: RegExp][] = [
      ['no JSON', 'a.json', '{ "lexicon": 1, ', 'invalid-json', /^Not JSON: .*JSON/],
      [
        'a wrong version',
        'a.json',
        { ...doc('com.example.a'), lexicon: 2 },
        'invalid-lexicon',
        /lexicon: Invalid literal value/,
      ],
      ['a bad NSID', 'a.json', doc('example'), 'invalid-lexicon', /id: Must be a valid NSID/],
      [
        'a bad type',
        'a.json',
        doc('com.example.a', { x: { type: 'strin' } }),
        'invalid-lexicon',
        /defs\.main\.record\.properties\.x/,
      ],
      [
        'a record that is not main',
        'a.json',
        { ...doc('com.example.a'), defs: { x: doc('a.b.c').defs.main } },
        'invalid-lexicon',
        /must be the main definition/,
      ],
      ['a scraped wrapper', 'a.json', { uri: 'x', schema: doc('com.example.a') }, 'wrapped-lexicon', /under `schema`/],
      ['a list', 'a.json', [doc('com.example.a')], 'wrapped-lexicon', /in a list/],
      ['something else', 'a.json', { hello: 'world' }, 'not-a-lexicon', /no lexicon/],
    ]

    it.each(cases)('%s', async (_, file, content, code, message) => {
      write(`lexicons/${file}`, content)
      const { docs, issues } = await loadLexicons([source('lexicons')])
      expect(docs).toEqual([])
      expect(issues).toEqual([expect.objectContaining({ severity: 'warning', code, path: `lexicons/${file}` })])
      expect(issues[0]!.message).toMatch(message)
    })

    it.each(['package.json', 'tsconfig.json', 'tsconfig.build.json', 'biome.json'])(
      'says nothing of %s',
      async (file) => {
        write(`lexicons/${file}`, { hello: 'world' })
        expect((await loadLexicons([source('lexicons')])).issues).toEqual([])
      },
    )

    it('says nothing of JSON with a JSON Schema', async () => {
      write('lexicons/settings.json', { $schema: 'https://example.com/schema.json' })
      expect((await loadLexicons([source('lexicons')])).issues).toEqual([])
    })

    it('is an error where the document is needed', async () => {
      write('lexicons/a.json', doc('community.lexicon.calendar.rsvp', { x: { type: 'strin' } }))
      const { docs, issues } = await loadLexicons([source('lexicons')], { needed: ['community.lexicon.calendar.rsvp'] })
      expect(docs).toEqual([])
      expect(issues).toEqual([expect.objectContaining({ severity: 'error', code: 'invalid-lexicon' })])
    })
  })

  describe('bundled documents', () => {
    it('serve for what is needed, and what that refers to', async () => {
      const { docs, issues } = await loadLexicons([], {
        needed: ['community.lexicon.calendar.rsvp', 'com.example.unknown'],
      })
      expect(docs.map((d) => d.id)).toEqual(['com.atproto.repo.strongRef', 'community.lexicon.calendar.rsvp'])
      expect(issues).toEqual([])
    })

    it('serve for references out of own documents', async () => {
      write('lexicons/a.json', doc('com.example.a', { subject: { type: 'ref', ref: 'com.atproto.repo.strongRef' } }))
      const { docs } = await loadLexicons([source('lexicons')], { needed: ['com.example.a'] })
      expect(docs.map((d) => d.id)).toEqual(['com.atproto.repo.strongRef', 'com.example.a'])
    })

    it('give way to own documents', async () => {
      const own = doc('community.lexicon.calendar.rsvp')
      write('lexicons/rsvp.json', own)
      const { docs } = await loadLexicons([source('lexicons')], { needed: ['community.lexicon.calendar.rsvp'] })
      expect(docs).toEqual([own])
    })

    it('are complete: nothing dangles', async () => {
      const records = [
        'app.bsky.feed.post',
        'app.bsky.actor.profile',
        'app.bsky.graph.follow',
        'xyz.statusphere.status',
      ]
      const needed = [...records, 'app.bsky.feed.like', 'app.bsky.feed.repost', 'community.lexicon.calendar.event']
      const { docs } = await loadLexicons([], { needed })
      expect(reachable(docs, needed).issues).toEqual([])
    })
  })
})

const corpus = path.resolve(import.meta.dirname, '../../../../shared/corpus/lexicons')

describe.skipIf(!existsSync(corpus))(
  `real lexicons${existsSync(corpus) ? '' : ' (skipped: no corpus beside the checkout)'}`,
  () => {
    const recordsOf = (docs: readonly LexiconDoc[]) =>
      docs.filter((d) => (d.defs.main as { type?: string } | undefined)?.type === 'record').map((d) => d.id)

    it('load together, with every copy that differs reported', async () => {
      const { docs, issues } = await loadLexicons([{ kind: 'directory', name: 'corpus', path: corpus }])
      expect(docs.length).toBeGreaterThan(400)
      expect(new Set(docs.map((d) => d.id)).size).toBe(docs.length)
      const files = readdirSync(corpus, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'))
      for (const file of files) {
        const id = path.basename(file, '.json').replace(/~\d+$/, '')
        const read = docs.some((d) => d.id === id) || issues.some((issue) => issue.path === `corpus/${file}`)
        expect(read, file).toBe(true)
      }
    })

    const folders = existsSync(corpus) ? readdirSync(corpus) : []
    it.each(folders)('%s is closed', async (folder) => {
      const own = await loadLexicons([{ kind: 'directory', name: folder, path: path.join(corpus, folder) }])
      const records = recordsOf(own.docs)
      const closed = reachable(own.docs, records)
      expect(closed.docs.map((d) => d.id)).toEqual(expect.arrayContaining(records))
      expect(closed.issues.every((issue) => issue.code === 'dangling-ref' && issue.path.includes('#'))).toBe(true)
      // Trimmed documents are whole: still valid, and a second pass finds nothing to take away.
      expect(reachable(closed.docs, records)).toEqual({ docs: closed.docs, issues: [] })
      for (const trimmed of closed.docs)
        expect(() => parseLexiconDoc(structuredClone(trimmed)), trimmed.id).not.toThrow()
    })
  },
)
