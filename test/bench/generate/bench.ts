import type { Bench } from '../report.ts'
export const generateBench: Bench = { name: 'generate', summary: '', async run() { return [] } }
