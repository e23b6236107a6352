import { Project, ts } from 'ts-morph'
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

/** Gives files their imports and their format, and refuses what does not parse. */
export class TypescriptPrinter {
  readonly #project = new Project({
    useInMemoryFileSystem: true,
    skipLoadingLibFiles: true,
    compilerOptions: { target: ts.ScriptTarget.ES2023 },
  })

  print(draft: TypescriptDraft): string {
    const used = identifiers(draft.body, draft.path)
    const imports = printImports(draft.imports, used)
    const text = typescriptHeader + imports + (imports === '' ? '' : '\n') + draft.body
    const file = this.#project.createSourceFile(`/${draft.path}`, text, { overwrite: true })
    file.formatText({ indentSize: 2, semicolons: ts.SemicolonPreference.Ignore, ensureNewLineAtEndOfFile: true })
    const formatted = file.getFullText().replaceAll(/ \{\n\}$/gm, ' {}')
    this.#project.removeSourceFile(file)
    return formatted
  }
}

/** Every identifier in `body`. */
function identifiers(body: string, path: string): Set<string> {
  const file = ts.createSourceFile(path, body, ts.ScriptTarget.ES2023, true)
  const [problem] = (file as unknown as { parseDiagnostics: ts.Diagnostic[] }).parseDiagnostics
  if (problem !== undefined) {
    const { line } = file.getLineAndCharacterOfPosition(problem.start ?? 0)
    const text = ts.flattenDiagnosticMessageText(problem.messageText, ' ')
    throw new Error(`The template of ${path} does not parse (line ${line + 1}): ${text}\n${body.split('\n')[line]}`)
  }
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return names
}
