import { ts } from 'ts-morph'
import { typescriptHeader } from './header.ts'
import { type ImportSymbol, printImports } from './imports.ts'

/** A TypeScript file before it has imports. No import line is ever in `body`. */
export interface TypescriptDraft {
  readonly kind: 'typescript'
  /** Relative to `outDir`, with `/`. */
  readonly path: string
  readonly body: string
  /** All that the body may use; what it does not use is left out. */
  readonly imports: readonly ImportSymbol[]
}

/**
 * A file with its header and the imports that its body uses.
 *
 * The text is parsed, once, to know its identifiers and to refuse what is no TypeScript. It is not formatted
 * after that: templates are written as the file should look, and lex-cli has formatted what it wrote.
 */
export function printTypescript(draft: TypescriptDraft): string {
  const body = draft.body.replaceAll(/ \{\n\s*\}(?=,?$)/gm, ' {}')
  const imports = printImports(draft.imports, identifiers(body, draft.path))
  // Bodies by lex-cli begin with imports of their own.
  const gap = imports === '' || body.startsWith('import ') ? '' : '\n'
  return `${typescriptHeader}${imports}${gap}${body.trimEnd()}\n`
}

/** Every name that `body` may take from elsewhere: all identifiers but those of properties. */
function identifiers(body: string, path: string): Set<string> {
  const file = ts.createSourceFile(path, body, ts.ScriptTarget.ES2023)
  const [problem] = (file as unknown as { parseDiagnostics: ts.Diagnostic[] }).parseDiagnostics
  if (problem !== undefined) {
    const { line } = file.getLineAndCharacterOfPosition(problem.start ?? 0)
    const text = ts.flattenDiagnosticMessageText(problem.messageText, ' ')
    throw new Error(`What was emitted as ${path} does not parse (line ${line + 1}): ${text}\n${body.split('\n')[line]}`)
  }
  const names = new Set<string>()
  const visit = (node: ts.Node, parent: ts.Node): void => {
    if (ts.isIdentifier(node) && !isPropertyName(node, parent)) names.add(node.text)
    ts.forEachChild(node, (child) => visit(child, node))
  }
  visit(file, file)
  return names
}

/** `name` in `a.name`, `{ name: … }` and in the property of an interface. */
function isPropertyName(node: ts.Identifier, parent: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  return (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node
}
