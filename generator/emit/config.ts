import { render } from '../print/handlebars.ts'
import type { Artifact } from './artifact.ts'
import { quote, union } from './code.ts'

/** `config.d.ts`: what the editor completes in `lexidex.config.ts`. */
export const config: Artifact = {
  emit: ({ records }) => [
    {
      kind: 'typescript',
      path: 'config.d.ts',
      body: render('config', {
        records: records.map(({ nsid, ...uses }) => ({
          nsid,
          paths: Object.entries(uses).map(([name, paths]) => ({
            name,
            type: union(paths.filter((path) => !OBJECT_MEMBERS.has(path)).map(quote), '      '),
          })),
        })),
      }),
      imports: [],
    },
  ],
}

/**
 * Every object has these already, of another type: a config type with such a key would fit no config at all. In the
 * config they are not completed.
 */
const OBJECT_MEMBERS = new Set(Object.getOwnPropertyNames(Object.prototype))
