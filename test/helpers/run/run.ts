import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, realpathSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/**
 * Everything temporary of a run is in one folder, which goes when the run ends. All random cases come from one seed: the
 * same in each `npm test`, so that it fails by what was changed alone, and another in each proof.
 */
export default function setup(project: TestProject): () => void {
  // Both projects of a run ask for it.
  if (process.env['BACKTRAIL_TEST_RUN'] !== undefined) return () => undefined;
  const folder = runFolder();
  process.env['BACKTRAIL_TEST_RUN'] = folder;
  process.env['BACKTRAIL_TEST_SEED'] ??=
    process.env['BACKTRAIL_PROOF'] === 'full' ? String(randomInt(2 ** 31)) : '1';
  project.vitest.logger.log(`Random cases: BACKTRAIL_TEST_SEED=${process.env['BACKTRAIL_TEST_SEED']}`);
  // Sources may have changed.
  project.onTestsRerun(() => {
    for (const made of ['compiled', 'built']) rmSync(join(folder, made), { recursive: true, force: true });
  });
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

const PREFIX = 'backtrail-run-';
const MEMORY = '/dev/shm';
/** Bytes: several times what a run has at any one time. */
const ENOUGH = 4 * 1024 ** 3;

/** In memory where there is enough of it: disks make a run a tenth more expensive. TMPDIR names another place. */
function runFolder(): string {
  const make = (place: string) => mkdtempSync(join(place, `${PREFIX}${process.pid}-`));
  if (process.env['TMPDIR'] === undefined)
    try {
      const { bavail, bsize } = statfsSync(MEMORY);
      if (Math.min(bavail * bsize, process.availableMemory()) >= ENOUGH) {
        removeLeft();
        const folder = make(MEMORY);
        if (runsPrograms(folder)) return folder;
        rmSync(folder, { recursive: true });
      }
    } catch {
      // No such file system, or not for this user.
    }
  return make(realpathSync(tmpdir()));
}

/** Containers often mount it without the right to. */
function runsPrograms(folder: string): boolean {
  const file = join(folder, 'program');
  writeFileSync(file, '#!/bin/sh\n', { mode: 0o700 });
  return spawnSync(file).status === 0;
}

/** What runs that were killed have left in memory. */
function removeLeft(): void {
  for (const name of readdirSync(MEMORY)) {
    const pid = /^backtrail-run-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(MEMORY, name), { recursive: true, force: true });
    } catch {
      // Another user's.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is another user's.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
