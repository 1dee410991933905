/** What is left of a run, told by plain git: branch, pushes, objects. */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Landed } from './ends.ts';
import type { Asked } from './plan.ts';
import { git } from './ledger/repository.ts';

const FORMAT =
  '%x00%H%n%(trailers:key=Rollback-Request-ID,valueonly,separator=%x20)%n%(trailers:key=Rollback-Target,valueonly,separator=%x20)';

/** Every rollback on the first-parent line of the branch, the oldest first. */
export function readLanded(directory: string, asked: readonly Asked[]): Landed[] {
  const log = git(directory, [
    'log',
    '--reverse',
    '--first-parent',
    '--raw',
    '--no-abbrev',
    '--no-renames',
    `--format=${FORMAT}`,
    'main',
  ]);
  const folders = new Map(asked.map(({ id, folder }) => [id, folder]));
  const found = log
    .split('\0')
    .slice(1)
    .map((entry) => {
      const [commit = '', requestId = '', target = '', ...rest] = entry.split('\n');
      const paths = rest
        .filter((line) => line.startsWith(':'))
        .map((line) => line.slice(line.indexOf('\t') + 1));
      return { commit, requestId, target, paths };
    })
    .filter(({ requestId }) => requestId !== '');
  const names = found.flatMap(({ commit, requestId, target }) => {
    const folder = folders.get(requestId) ?? '';
    return [`${commit}:${folder}`, `${target}:${folder}`];
  });
  const trees = git(directory, ['cat-file', '--batch-check=%(objectname)'], `${names.join('\n')}\n`).split(
    '\n',
  );
  return found.map((each, index) => {
    const [there, wanted] = [trees[index * 2], trees[index * 2 + 1]];
    return { ...each, restores: there === wanted && /^[0-9a-f]{40}$/.test(there ?? '') };
  });
}

export interface Pushes {
  /** Of rollbacks, from the branch's own log. */
  readonly pushes: number;
  readonly largest: number;
}

export function countPushes(directory: string, landed: readonly Landed[]): Pushes {
  const line = git(directory, ['rev-list', '--reverse', '--first-parent', 'main']).trim().split('\n');
  const places = new Map(line.map((id, index) => [id, index]));
  const rollbacks = new Set(landed.map(({ commit }) => commit));
  const sizes = readFileSync(join(directory, 'logs/refs/heads/main'), 'utf8')
    .trim()
    .split('\n')
    .map((entry) => {
      const [before = '', after = ''] = entry.split(' ');
      const [from, to] = [places.get(before) ?? -1, places.get(after) ?? -1];
      return line.slice(from + 1, to + 1).filter((id) => rollbacks.has(id)).length;
    })
    .filter((size) => size > 0);
  return { pushes: sizes.length, largest: Math.max(0, ...sizes) };
}

/** What git finds wrong. `room`: a folder for a copy of what is on the disk of another process, which git does not find by itself. */
export function fsckProblems(directory: string, room: string): string[] {
  const look = () => {
    const copy = join(room, 'fsck.git');
    try {
      const isElsewhere = directory.startsWith('/proc/');
      if (isElsewhere) cpSync(directory, copy, { recursive: true });
      const args = ['fsck', '--strict', '--no-dangling', '--no-progress'];
      return git(isElsewhere ? copy : directory, args).trim();
    } catch (error) {
      return String(error);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  };
  // A worker may be at work in its mirror.
  const found = look() && look() && look();
  return found === '' ? [] : [`git fsck of ${directory}: ${found.slice(0, 2000)}`];
}
