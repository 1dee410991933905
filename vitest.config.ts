import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { kindsOfTests } from './test/helpers/run/kinds.ts';
import { LongestFirst } from './test/helpers/run/sequencer.ts';

const project = (name: string, include: string[]): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, include },
});

// What most tests run does not run often enough for V8's optimised code to pay off, see cli/start/tune.ts.
const lateOptimisation = process.versions.node.startsWith('20.') ? ['--interrupt-budget=2000000'] : [];

export default defineConfig({
  test: {
    // Each kind has workers of its own.
    projects: Object.entries(kindsOfTests('test')).map(([kind, files]) => project(kind, files)),
    globalSetup: ['test/helpers/run/run.ts'],
    setupFiles: ['test/helpers/run/setup.ts'],
    // Only what hangs ends by them: no test is to fail because a machine is slow.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    expect: { poll: { timeout: 600_000, interval: 50 } },
    pool: 'forks',
    // Modules are loaded once a worker; test/helpers/run/lifetime.ts says what a helper may not do then.
    isolate: false,
    // A process is forked for each git, and forking costs by the memory of whoever forks: setup.ts collects garbage.
    execArgv: ['--expose-gc', '--max-semi-space-size=4', ...lateOptimisation],
    // For the same reason it gives memory back: glibc keeps freed blocks below these sizes, and an arena for each thread.
    env: { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '131072' },
    // One more than there are cores: some tests wait for a time limit of their own.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ['default'],
  },
});
