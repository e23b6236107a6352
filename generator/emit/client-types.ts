import { type Hydration, hydrationsOf } from '../model/hydration.ts'
import type { CollectionModel, Method, Model } from '../model/types.ts'
import { render } from '../print/handlebars.ts'
import { doc, key, quote, sentences, union } from './code.ts'
import { hydrateParams } from './hydrate-params.ts'
import { emitNames, titleOf } from './names.ts'
import type { ParamView } from './param-view.ts'
import { listParamsOf } from './params.ts'
import { countDoc } from './tables.ts'

/** The types of the client: what calls take, and what they return. */
export function renderTypes(model: Model): string {
  return render('client-types', {
    collections: model.collections.map((collection) => collectionView(collection, model)),
    profiles: profilesView(model),
    lists: model.collections
      .filter(({ methods }) => methods.includes('listRecords'))
      .map((collection) => listSignature(collection, model)),
  })
}

function collectionView(collection: CollectionModel, model: Model) {
  return {
    names: emitNames(collection),
    doc: doc(titleOf(collection)),
    counts: collection.counts.map((count) => ({
      key: key(count.name),
      doc: doc(sentences(countDoc(collection, count.name), 'Absent where there are none'), '  '),
    })),
    ...hydrationOf(collection, model),
    params: collection.methods.map((method) => paramsView(collection, method, model)),
  }
}

/** What each hydrate parameter adds; `P` are the parameters of a call, where something can be nested. */
function hydrationOf(collection: CollectionModel, model: Model) {
  const hydrations = hydrationsOf(collection, model)
  const isNested = hydrations.some(({ inner }) => inner.length > 0)
  const name = emitNames(collection).hydration
  return {
    hydration: hydrations.map((hydration) => ({ key: hydration.param, type: added(hydration) })),
    hydrationType: isNested ? `${name}<P = {}>` : name,
    hydrationOf: isNested ? `${name}<P>` : name,
  }
}

function added({ param, name, kind, target, groups, inner }: Hydration): string {
  const { view, hydrated } = emitNames(target)
  const item = inner.length === 0 ? view : `${hydrated}<Nested<P, ${quote(param)}>>`
  if (kind === 'reference') return `{ ${key(name)}?: ${item} }`
  if (groups === null) return `{ ${key(name)}: ${item}[] }`
  const entries = groups.values.map((group) => `${key(group.name)}?: ${item}[]`)
  const flat = `{ ${key(name)}: { ${entries.join('; ')} } }`
  if (flat.length < 80) return flat
  return `{\n    ${key(name)}: {\n${entries.map((entry) => `      ${entry}\n`).join('')}    }\n  }`
}

function paramsView(collection: CollectionModel, method: Method, model: Model) {
  const names = emitNames(collection)
  const isList = method === 'listRecords'
  const params = isList ? listParamsOf(collection, model) : hydrateParams(collection, model)
  const uri = {
    doc: doc('URI of the record, with a DID or a handle.', '  '),
    key: 'uri',
    type: union(['string'], '  '),
  }
  return {
    type: isList ? names.listParamsType : names.getParamsType,
    doc: doc(`Parameters of \`${model.namespace}.${collection.name}.${method}\`.`),
    extends: isList ? ' extends ListParams' : '',
    fields: [...(isList ? [] : [uri]), ...params.map(paramField)],
  }
}

function paramField(param: ParamView) {
  const type = union([...param.clientType, 'undefined'], '  ')
  return { doc: doc(param.description, '  '), key: `${param.name}?`, type }
}

function listSignature(collection: CollectionModel, model: Model): string {
  const { listParamsType } = emitNames(collection)
  return `<const P extends ${listParamsType} = {}>(
    collection: ${quote(collection.name)},
    params?: P,
  ): Promise<${pageOf(collection, model)}>`
}

/** A page of `listRecords` as a call with the parameters `P` returns it. */
export function pageOf(collection: CollectionModel, model: Model): string {
  return withProfiles(`Page<${emitNames(collection).hydrated}<P>>`, model)
}

/** What an answer is where the call may ask for profiles as well. */
export function withProfiles(answer: string, model: Model): string {
  return model.profiles === undefined ? answer : `WithProfiles<${answer}, P>`
}

/** Types of profiles, for `each`: none where there are no profiles. */
function profilesView({ collections, profiles }: Model): { type: string }[] {
  if (profiles === undefined) return []
  const kinds = profiles.map((profile) => {
    const collection = collections.find(({ name }) => name === profile.collection)!
    return `Profile<${emitNames(collection).view}, ${quote(collection.nsid)}>`
  })
  return [{ type: [...kinds, 'NoProfile'].join(' | ') }]
}
