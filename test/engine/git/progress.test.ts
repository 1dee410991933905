import { rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProgress, progressReader } from '../../../engine/git/process/progress.ts';
import type { Progress } from '../../../engine/model/index.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { open } from './open.ts';
import { isProof } from '../../helpers/run/proof.ts';

const SAID = [
  'remote: Enumerating objects: 21, done.        \n',
  'remote: Counting objects: 100% (21/21)\r',
  'remote: Compressing objects:  50% (7/14)\r',
  'Receiving objects:  45% (9/20)\r',
  'Receiving objects: 100% (20/20), 12.30 MiB | 4.50 MiB/s, done.\n',
  'Resolving deltas: 100% (3/3), done.\n',
  'From https://example.com/größe\n',
];
const MEANT: Progress[] = [
  { phase: 'counting', percent: null, objects: 21 },
  { phase: 'counting', percent: 100, objects: 21 },
  { phase: 'compressing', percent: 50, objects: 7 },
  { phase: 'receiving', percent: 45, objects: 9 },
  { phase: 'receiving', percent: 100, objects: 20, amount: '12.30 MiB | 4.50 MiB/s' },
  { phase: 'resolving', percent: 100, objects: 3 },
];

describe('the progress of git', () => {
  test('is read however the lines are cut into pieces', () => {
    const bytes = Buffer.from(SAID.join(''));
    const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 60 });
    fc.assert(
      fc.property(cuts, (places) => {
        const told: Progress[] = [];
        const read = progressReader((progress) => told.push(progress));
        let from = 0;
        for (const place of [...places.toSorted((a, b) => a - b), bytes.length]) {
          read(bytes.subarray(from, place));
          from = place;
        }
        expect(told).toEqual(MEANT);
      }),
    );
  });

  test.each([
    'Receiving objects: lots',
    'Receiving objects: 45% (9/20), \u001b[31mred',
    'remote: constructor: 45% (9/20)',
    `Receiving objects: ${'9'.repeat(400)}% (1/1)`,
    'fatal: early EOF',
    '',
  ])('is nothing else that a server may write: %j', (line) => expect(parseProgress(line)).toBeNull());

  test('an endless line is not kept', () => {
    const told: Progress[] = [];
    const read = progressReader((progress) => told.push(progress));
    for (let i = 0; i < 200; i += 1) read(Buffer.alloc(1 << 16, 'x'));
    read(Buffer.from('\nReceiving objects:  45% (9/20)\r'));
    expect(told).toHaveLength(1);
  });

  test('is told on the first fetch of a real remote, to its end', async () => {
    const repo = await createRepo({ bare: true });
    await repo.replay(Array.from({ length: 150 }, (_, index) => ({ files: { [`f${index}`]: `${index}` } })));
    const told: (Progress | null)[] = [];
    const location = `file://${repo.folder}`;
    const cacheFolder = await temporaryFolder();
    await open(repo, { location, cacheFolder, onProgress: (progress) => told.push(progress) });
    expect(told.filter((progress) => progress?.phase === 'receiving').at(-1)).toMatchObject({
      percent: 100,
      objects: 450,
    });
    expect(told.map((progress) => progress?.phase)).toContain('counting');
    expect(told.at(-1)).toBeNull();
  });
});

describe('what takes longer than a second', () => {
  /** A repository whose git is slow at what `words` match. */
  async function slow(words: string) {
    const repo = await createRepo({ bare: true });
    await repo.replay(Array.from({ length: 40 }, (_, index) => ({ files: { f: `${index}` } })));
    const folder = await temporaryFolder();
    const path = repo.env['PATH'] ?? '';
    const script = `#!/bin/sh\nPATH='${path}'\ncase "$*" in *${words}*) sleep 1.5;; esac\nexec git "$@"\n`;
    await writeFile(join(folder, 'git'), script, { mode: 0o755 });
    const told: (Progress | null)[] = [];
    const git = await open(
      { folder: repo.folder, env: { ...repo.env, PATH: `${folder}:${path}` } },
      { onProgress: (progress) => told.push(progress) },
    );
    return { git, told, tip: await repo.git('rev-parse', 'main') };
  }

  test('is told of while git works, and that it has ended', async () => {
    const { git, told, tip } = await slow('rev-list');
    await git.history.firstParents(tip);
    expect(told[0]).toMatchObject({ phase: 'working' });
    expect(told.at(-1)).toBeNull();
  });

  test.runIf(isProof)('is told of while another process has the mirror', async () => {
    const origin = await createRepo({ bare: true });
    await origin.replay([{ files: { f: '1' } }]);
    const cacheFolder = await temporaryFolder();
    const told: (Progress | null)[] = [];
    const url = `file://${origin.folder}`;
    const first = await open({ folder: url, env: origin.env }, { location: url, cacheFolder });
    const lock = `${first.directory}.lock`;
    await writeFile(lock, JSON.stringify({ pid: process.pid, host: hostname(), token: 'another' }));
    const second = open(
      { folder: url, env: origin.env },
      { location: url, cacheFolder, onProgress: (progress) => told.push(progress) },
    );
    while (!told.some((progress) => progress?.phase === 'locked')) await setTimeout(50);
    await rm(lock);
    await second;
    expect(told.at(-1)).toBeNull();
  });
});
