import { access, mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { pastLocks } from '../../../../engine/git/remote/left-locks.ts';
import { BacktrailError } from '../../../../engine/model/index.ts';
import { temporaryFolder } from '../../../helpers/repositories/repo.ts';

afterEach(() => void vi.useRealTimers());

const lockedBy = (lock: string) =>
  new BacktrailError('REPOSITORY_LOCKED', `Locked by ${lock}.`, { details: { lock } });
const isThere = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  );

test('an old lock that is met at the end of a long fetch is removed, and the fetch done again', async () => {
  const directory = await temporaryFolder();
  const lock = join(directory, 'refs/remotes/origin/main.lock');
  await mkdir(dirname(lock), { recursive: true });
  await writeFile(lock, '');
  await utimes(lock, new Date(0), new Date(0));
  vi.useFakeTimers({ toFake: ['performance'] });
  const fetched = pastLocks(directory, async () => {
    vi.advanceTimersByTime(60_000);
    if (await isThere(lock)) throw lockedBy(lock);
    return 'done';
  });
  await expect(fetched).resolves.toBe('done');
});

test('what cannot be removed hides nothing of what git said', async () => {
  const directory = await temporaryFolder();
  const lock = join(directory, 'refs/main.lock');
  await mkdir(lock, { recursive: true });
  await utimes(lock, new Date(0), new Date(0));
  const failure = lockedBy(lock);
  await expect(pastLocks(directory, () => Promise.reject(failure))).rejects.toBe(failure);
});
