import { readFileSync } from 'node:fs'
import Handlebars from 'handlebars'

const compiled = new Map<string, Handlebars.TemplateDelegate>()

/**
 * Fills the template `templates/<name>.hbs`. A value that the view lacks is an error: templates place what
 * views hold and decide nothing.
 */
export function render(name: string, view: object): string {
  let template = compiled.get(name)
  if (template === undefined) {
    const text = readFileSync(new URL(`../templates/${name}.hbs`, import.meta.url), 'utf8')
    template = Handlebars.compile(text, { strict: true, noEscape: true, knownHelpersOnly: true })
    compiled.set(name, template)
  }
  return template(view)
}
