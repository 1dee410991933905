import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/helpers/run-folder.ts'],
    setupFiles: ['test/helpers/setup.ts'],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Modules are loaded once a worker; see test/helpers/lifetime.ts for what a helper may not do then.
    isolate: false,
    maxWorkers: 2,
    reporters: ['default'],
  },
});
