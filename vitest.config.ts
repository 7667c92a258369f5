import { defineConfig } from 'vitest/config'

const inCi = process.env['CI'] !== undefined
/**
 * Against hanging only. A test that is only slow must never meet it: its body would go on beside the next test of the
 * file, in the same world.
 */
const HANG_MS = 1_200_000
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
          testTimeout: HANG_MS,
          hookTimeout: HANG_MS,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['**/*.itest.ts'],
          exclude: never,
          globalSetup: ['test/support/global.ts'],
          testTimeout: HANG_MS,
          hookTimeout: HANG_MS,
          // Real processes on a busy machine: one more try in CI, none at a desk. `npm test` names those that took it.
          retry: inCi ? 1 : 0,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.btest.ts'],
          exclude: never,
          globalSetup: ['test/support/global.ts'],
          testTimeout: HANG_MS,
          hookTimeout: HANG_MS,
          retry: inCi ? 1 : 0,
          maxWorkers: 1,
        },
      },
    ],
  },
})
