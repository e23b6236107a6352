import { resolve } from 'node:path'
import { Project, ts } from 'ts-morph'
import { describe, expect, it } from 'vitest'

const source = `
import { createXrpcClient, type Hydrated, type ListParams, type Page, type RecordView } from '../../runtime/client/index.ts'

interface EventView extends RecordView<{ name: string }> {}
interface RsvpView extends RecordView<{ status: string }> {}
interface Hydration {
  hydrateRsvps: { rsvps: { going?: RsvpView[] } }
  hydrateHost: { host?: RsvpView }
}
interface Params extends ListParams {
  hydrateRsvps?: number
  hydrateHost?: boolean
}
const xrpc = createXrpcClient('https://a.example')
const list = <const P extends Params = {}>(params?: P) => xrpc.query<Page<Hydrated<EventView, Hydration, P>>>('a.b.c', params)
declare const some: number

export const plain = await list({ limit: 5 })
export const on = await list({ hydrateRsvps: 5 })
export const both = await list({ hydrateRsvps: some, hydrateHost: true })
`

describe('a hydrated view, as editors show it', () => {
  const project = new Project({
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      allowImportingTsExtensions: true,
      noEmit: true,
      types: [],
    },
  })
  const file = project.createSourceFile(resolve('test/client/hover.ts'), source)

  /** The text that the editor's language service shows for a name. */
  function hover(name: string): string | undefined {
    const position = file.getVariableDeclarationOrThrow(name).getNameNode().getStart()
    const info = project.getLanguageService().compilerObject.getQuickInfoAtPosition(file.getFilePath(), position)
    return info?.displayParts
      ?.map((part) => part.text)
      .join('')
      .replace(/\s+/g, ' ')
  }

  it('is the named view where nothing is added', () => {
    expect(hover('plain')).toBe('const plain: Page<EventView>')
  })

  it('is the named view and what was added', () => {
    expect(hover('on')).toBe('const on: Page<EventView & { rsvps: { going?: RsvpView[]; }; }>')
  })

  it('is one list of properties where several were added', () => {
    expect(hover('both')).toBe('const both: Page<EventView & { host?: RsvpView; rsvps?: { going?: RsvpView[]; }; }>')
  })
})

describe('what calls of emitted clients return, as editors show it', () => {
  const project = new Project({ tsConfigFilePath: resolve('tsconfig.json'), skipAddingFilesFromTsConfig: true })
  const file = project.createSourceFile(
    resolve('test/client/hover-emitted.ts'),
    `
import { createClient } from '../../fixtures/apps/calendar/src/lexidex/client.ts'
import { createClient as createStatusClient } from '../../fixtures/apps/statusphere/src/lexidex/client.ts'
const api = createClient('https://a.example')
const statuses = createStatusClient('https://a.example')
export const plain = await api.event.listRecords()
export const nested = await api.rsvp.listRecords({ hydrateEvent: true, hydrateEventRsvps: 3 })
export const people = await api.event.listRecords({ profiles: true })
export const tally = await statuses.status.tally({ most: 3 })
export const latest = await statuses.status.latest({ limit: 3 })
`,
  )

  it.each([
    ['plain', 'Page<EventView>'],
    [
      'nested',
      'Page<RsvpView & { event?: EventView & { rsvps: { going?: RsvpView[]; interested?: RsvpView[]; }; }; }>',
    ],
    ['people', 'Page<EventView> & { profiles: ProfileEntry[]; }'],
    ['tally', '{ statuses: { emoji: string | null; times: number; }[]; }'],
    ['latest', 'Page<StatusView>'],
  ])('%s', (name, expected) => {
    const position = file.getVariableDeclarationOrThrow(name).getNameNode().getStart()
    const info = project.getLanguageService().compilerObject.getQuickInfoAtPosition(file.getFilePath(), position)
    const text = info?.displayParts?.map((part) => part.text).join('')
    expect(text?.replace(/\s+/g, ' ')).toBe(`const ${name}: ${expected}`)
  })
})
