import path from 'node:path'
import { Project } from 'ts-morph'
import { describe, expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')

const source = (event: string) => `
import { defineConfig } from 'lexidex'

declare module 'lexidex' {
  interface LexiconPaths {
    'test.lexidex.event': { queryable: 'mode' | 'startsAt'; range: 'startsAt'; searchable: 'name'; field: 'mode' | 'host' }
    'test.lexidex.rsvp': { queryable: 'status'; range: never; searchable: never; field: 'status' | 'subject.uri' }
  }
}

export default defineConfig({
  namespace: 'com.example',
  collections: {
    event: { ${event} },
    rsvp: { collection: 'test.lexidex.rsvp' },
  },
})
`

/** What an editor offers at the `|` of `event`. */
function completions(event: string): string[] {
  const project = new Project({ tsConfigFilePath: path.join(root, 'tsconfig.json'), skipAddingFilesFromTsConfig: true })
  const text = source(event)
  const position = text.indexOf('¦')
  const file = project.createSourceFile(path.join(root, 'test/types/completion.ts'), text.replace('¦', ''))
  const service = project.getLanguageService().compilerObject
  const found = service.getCompletionsAtPosition(file.getFilePath(), position, {})
  return found?.entries.map((entry) => entry.name.replaceAll(/['"]/g, '')) ?? []
}

describe('completion of a config in the editor', () => {
  it.each([
    ["collection: '¦'", ['test.lexidex.event', 'test.lexidex.rsvp']],
    ["collection: 'test.lexidex.event', queryable: { ¦ }", ['mode', 'startsAt']],
    ["collection: 'test.lexidex.event', searchable: ['¦']", ['name']],
    ["collection: 'test.lexidex.event', timeField: '¦'", ['mode', 'host']],
    ["collection: 'test.lexidex.event', relations: { r: { collection: '¦' } }", ['event', 'rsvp']],
    [
      "collection: 'test.lexidex.event', relations: { r: { collection: 'rsvp', groupBy: '¦' } }",
      ['status', 'subject.uri'],
    ],
    ["collection: 'test.lexidex.event', references: { r: { collection: 'rsvp', field: '¦' } }", ['mode', 'host']],
  ])('%s', (event, expected) => {
    expect(completions(event)).toEqual(expect.arrayContaining(expected))
  })
})
