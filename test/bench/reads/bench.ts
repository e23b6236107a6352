import type { Bench } from '../report.ts'
export const readsBench: Bench = { name: 'reads', summary: '', async run() { return [] } }
