import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { type ResolvedConfig, resolveConfig } from '../../../generator/input/config.ts'
import { GenerateError, type Issue } from '../../../generator/input/issues.ts'

/** The project that configs are read in. A fresh folder for each test file. */
export let root: string

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'lexidex-'))
  for (const directory of [
    'lexicons',
    'src/lexicons',
    'src/lexidex/lexicons',
    'node_modules/@scope/lex',
    'node_modules/empty',
  ]) {
    mkdirSync(path.join(root, directory), { recursive: true })
  }
  writeFileSync(path.join(root, 'node_modules/@scope/lex/package.json'), '{}')
})

afterAll(() => rmSync(root, { recursive: true }))

export const event = { collection: 'community.lexicon.calendar.event' }

export function resolve(raw: unknown, configPath = 'lexidex.config.ts') {
  return resolveConfig(raw, { root, configPath: path.join(root, configPath) })
}

export function config(raw: object): ResolvedConfig {
  return resolve({ namespace: 'com.example', collections: { event }, ...raw }).config
}

export function issuesOf(raw: unknown, configPath?: string): readonly Issue[] {
  try {
    return resolve(raw, configPath).issues
  } catch (error) {
    if (error instanceof GenerateError) return error.issues
    throw error
  }
}

/** Issues of a config that is right but for `raw`. */
export function issues(raw: object): readonly Issue[] {
  return issuesOf({ namespace: 'com.example', collections: { event }, ...raw })
}

export function inEvent(extra: object): readonly Issue[] {
  return issues({ collections: { event: { ...event, ...extra } } })
}
