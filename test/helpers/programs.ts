import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { createPrograms } from '../../engine/render/programs/index.ts';

export const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
/** For the names of tests that are skipped. */
export const needsKubectl = kubectl ? '' : ' (skipped: kubectl is not installed)';

export const programsOf = (options: Partial<Parameters<typeof createPrograms>[0]> = {}) =>
  createPrograms({
    path: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    allowed: 'all',
    signal: new AbortController().signal,
    ...options,
  });

/** Folders of programs that are there now; none may be left by a test. Other test files have other temporary folders. */
export const foldersLeft = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('backtrail-render-'));

const own = mkdtempSync(join(tmpdir(), 'backtrail-programs-'));
const before = process.env['TMPDIR'];
beforeAll(() => {
  process.env['TMPDIR'] = own;
});
afterAll(() => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  rmSync(own, { recursive: true, force: true });
});
