/**
 * Has Node itself run our TypeScript, by leaving the types out: that is what users run once it is compiled. tsx adds a
 * call wherever a function is made.
 */
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    // Emitted code names its files as they are called once compiled.
    const isEmitted = specifier.startsWith('.') && context.parentURL?.includes('/src/lexidex/')
    return next(isEmitted ? specifier.replace(/\.js$/, '.ts') : specifier, context)
  },
})
