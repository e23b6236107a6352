import { loadParts } from '../../runtime/explorer/assets.ts'

/** Text of the module that takes the place of `runtime/explorer/assets.ts` in the package: the page as it was bundled. */
export async function explorerModule(): Promise<string> {
  const parts = JSON.stringify(await loadParts(), null, 2)
  return `const parts = ${parts}\n\nexport const loadParts = async () => parts\n`
}
