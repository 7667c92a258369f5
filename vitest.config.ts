import { defineConfig } from 'vitest/config'

const never = ['**/node_modules/**', 'data/**', 'web/dist/**', 'test/fixtures/**']

export default defineConfig({
  test: {
    // Days and bands belong to the brand's zone; a test must not pass because the machine happens to share it.
    env: { TZ: 'UTC' },
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.ts', '**/*.test.tsx'],
          exclude: never,
          testTimeout: 15_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['**/*.itest.ts'],
          exclude: never,
          globalSetup: ['test/support/global.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.btest.ts'],
          exclude: never,
          globalSetup: ['test/support/global.ts'],
          testTimeout: 90_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
        },
      },
    ],
  },
})
