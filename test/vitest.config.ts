import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['lexidex-source'] },
  ssr: { resolve: { conditions: ['lexidex-source', 'node', 'import', 'default'] } },
  test: {
    root: '.',
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
