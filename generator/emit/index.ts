import type { Model, ProfileModel } from '../model/types.ts'
import { render } from '../print/handlebars.ts'
import { symbols } from '../print/imports.ts'
import type { Artifact } from './artifact.ts'
import { array, quote } from './code.ts'
import { emitNames } from './names.ts'
import { queryConstants } from './queries.ts'

/** `index.ts`: the one entry of a server. */
export const index: Artifact = {
  emit: ({ model, configImport }) => {
    const list = (entries: readonly string[]) => array(entries, '  ')
    const methods = model.collections.flatMap((collection) => {
      const names = emitNames(collection)
      const own = collection.methods.map((method) => (method === 'listRecords' ? names.list : names.get))
      return [...own, ...queryConstants(collection)]
    })
    const properties = {
      namespace: quote(model.namespace),
      collections: list(model.collections.map((collection) => emitNames(collection).constant)),
      methods: list(methods),
      ...(model.profiles === undefined ? {} : { profiles: list(model.profiles.map((p) => profileOf(p, model))) }),
      migrations: 'migrations',
      schemas: 'schemas',
      lexicons: 'lexicons',
      jetstreams: list(model.jetstreams.map(quote)),
      relays: list(model.relays.map(quote)),
      plc: quote(model.plc),
      allowHosts: list(model.allowHosts.map(quote)),
      ...(model.repos === undefined ? {} : { repos: list(model.repos.map(quote)) }),
      ...(model.rest && { rest: 'true' }),
    }
    // What the config holds for the running index stays in it: functions, secrets.
    const options = (['logger', 'notify'] as const).filter((key) => model[key]).map((key) => `${key}: config.${key}`)
    return [
      {
        kind: 'typescript',
        path: 'index.ts',
        body: render('index', {
          options: options.length === 0 ? 'options' : `{ ${[...options, '...options'].join(', ')} }`,
          properties: Object.entries(properties).map(([key, value]) => (key === value ? key : `${key}: ${value}`)),
        }),
        imports: [
          { from: 'lexidex/runtime', name: 'createIndexer', as: 'create' },
          ...symbols('lexidex/runtime', [], ['App', 'Indexer', 'IndexerOptions', 'Store']),
          ...model.collections.flatMap((collection) => {
            const names = emitNames(collection)
            const constants = [names.constant, names.list, names.get, ...queryConstants(collection)]
            return symbols(`./collections/${collection.name}.js`, constants)
          }),
          { from: configImport(), name: 'default', as: 'config' },
          ...symbols('lexidex/runtime', ['inProcess'], ['InProcessService', 'ServerClientOptions']),
          ...symbols('./client.js', ['createClient'], ['Client', 'QueryRecords']),
          { from: './lexicons/index.js', name: 'lexicons' },
          { from: './migrations/index.js', name: 'migrations' },
          { from: './records/lexicons.js', name: 'schemas' },
          { from: './tables.js', name: 'Database', type: true },
        ],
      },
    ]
  },
}

function profileOf({ collection: name, rkey }: ProfileModel, model: Model): string {
  const { constant } = emitNames(model.collections.find((collection) => collection.name === name)!)
  return `{ collection: ${constant}, rkey: ${quote(rkey)} }`
}
