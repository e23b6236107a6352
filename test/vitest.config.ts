import { availableParallelism } from 'node:os'
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
    // Most tests wait for sockets and processes, so more of them than there are cores get along.
    maxWorkers: Math.max(3, availableParallelism() - 1),
  },
})
