import type { Artifact } from './artifact.ts'

/** `model.json`: the model that the next migration is compared with. */
export const model: Artifact = {
  emit: ({ model }) => [{ kind: 'json', path: 'model.json', value: model }],
}
