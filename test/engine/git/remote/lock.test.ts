import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isClaimed, withLock } from '../../../../engine/git/remote/lock.ts';
import { temporaryFolder } from '../../../helpers/repositories/repo.ts';

const { signal } = new AbortController();
const statOf = (pid: number) => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};
const linux = existsSync('/proc/self/stat');
const needsLinux = linux ? '' : ' (skipped: there is no /proc)';
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A process that was killed, and that its parent never asks about. */
async function zombie(): Promise<number> {
  const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  ends.push(() => parent.kill('SIGKILL'));
  const chunk: unknown = await new Promise((resolve) => parent.stdout.once('data', resolve));
  const pid = Number(String(chunk));
  // The shell itself would ask: `sleep` has taken its place by now.
  await expect.poll(() => readFileSync(`/proc/${parent.pid ?? 0}/comm`, 'utf8').trim()).toBe('sleep');
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => statOf(pid)[0]).toBe('Z');
  return pid;
}

const heldBy = async (owner: object) => {
  const file = join(await temporaryFolder(), 'mirror.lock');
  await writeFile(file, JSON.stringify({ host: hostname(), token: 'theirs', ...owner }));
  return file;
};
const take = (file: string) => withLock(file, { waitMs: 0, signal }, () => Promise.resolve('taken'));

describe.skipIf(!linux)(`a lock of this host${needsLinux}`, () => {
  it('is kept by a process that runs', async () => {
    const started = statOf(process.pid)[19];
    for (const owner of [{ pid: process.pid }, { pid: process.pid, started }]) {
      const file = await heldBy(owner);
      expect(await isClaimed(file)).toBe(true);
      await expect(take(file)).rejects.toMatchObject({ code: 'REPOSITORY_LOCKED' });
    }
  });

  it('is taken at once from a killed process whose parent has not asked about it', async () => {
    const file = await heldBy({ pid: await zombie() });
    expect(await isClaimed(file)).toBe(false);
    expect(await take(file)).toBe('taken');
  });

  it('is taken at once from an earlier process of the same id, as in a container that was started again', async () => {
    const file = await heldBy({ pid: process.pid, started: '1' });
    expect(await isClaimed(file)).toBe(false);
    expect(await take(file)).toBe('taken');
  });
});
