import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['lexidex-source'] },
  // Without 'import', which a driver's own require() must not meet.
  ssr: { resolve: { conditions: ['lexidex-source', 'node', 'default'] } },
  test: {
    root: '.',
    globalSetup: ['test/postgres/global-setup.ts'],
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
