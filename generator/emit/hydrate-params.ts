import { type Hydration, hydrationsOf } from '../model/hydration.ts'
import type { CollectionModel, Model } from '../model/types.ts'
import { sentences } from './code.ts'
import type { ParamView } from './param-view.ts'

/** Parameters that embed children, targets and profiles. */
export function hydrateParams(collection: CollectionModel, model: Model): ParamView[] {
  const params = hydrationsOf(collection, model).flatMap((hydration) => [
    paramOf(hydration, null),
    ...hydration.inner.map((inner) => paramOf(inner, hydration)),
  ])
  return model.profiles === undefined ? params : [...params, PROFILES]
}

function paramOf(hydration: Hydration, outer: Hydration | null): ParamView {
  const { param, name, kind, target, groups } = hydration
  const into = outer === null ? 'each record' : `each embedded record of \`${outer.name}\``
  const needs = outer === null ? '' : `Needs \`${outer.param}\``
  if (kind === 'relation') {
    const of = outer === null ? '' : ` in ${into}`
    return {
      name: param,
      description: sentences(
        `How many of the newest \`${name}\` to embed${of}${groups === null ? '' : ', per group'}; at most 50`,
        needs,
      ),
      schema: 'hydrateLimit()',
      clientType: ['number'],
      lexicon: { type: 'integer', minimum: 0, maximum: 50 },
      filter: null,
    }
  }
  return {
    name: param,
    description: sentences(`Whether to embed the \`${target.name}\` that ${into} points at`, needs),
    schema: 'flag()',
    clientType: ['boolean'],
    lexicon: { type: 'boolean' },
    filter: null,
  }
}

const PROFILES: ParamView = {
  name: 'profiles',
  description: sentences('Whether to add the profiles of the authors of all that is returned, as `profiles`'),
  schema: 'flag()',
  clientType: ['boolean'],
  lexicon: { type: 'boolean' },
  filter: null,
}
