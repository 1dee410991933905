import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { createPrograms } from '../../../engine/render/programs/index.ts';

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

/** Folders of programs that are there now; none may be left by a test. Every file has a temporary folder of its own, see setup.ts. */
export const foldersLeft = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('backtrail-render-'));
