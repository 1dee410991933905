import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { decodePath, encodePath } from '../../model/index.ts';
import { tokens } from '../process/raw-output.ts';
import type { Runner } from '../process/runner.ts';
import type { Environment } from '../process/spawn.ts';

const AT_ONCE = 500;
const STATUS = [
  'status',
  '--porcelain',
  '-z',
  '--no-renames',
  '--untracked-files=all',
  '--ignored=traditional',
  '--ignore-submodules=all',
];

/** The first local change (staged or not, untracked, ignored) in the way of a checkout that changes `paths`; null without any. */
export async function firstOverlap(place: {
  readonly runner: Runner;
  readonly worktree: string;
  readonly env: Environment;
  readonly paths: readonly string[];
}): Promise<string | null> {
  const { runner, worktree, paths } = place;
  const options = { cwd: worktree, env: { ...place.env, GIT_WORK_TREE: worktree } };
  const own = new Set(paths);
  const specs = [...new Set(paths.map(writable))];
  for (let at = 0; at < specs.length; at += AT_ONCE) {
    const { stdout } = await runner.run([...STATUS, '--', ...specs.slice(at, at + AT_ONCE)], options);
    const output = tokens(stdout);
    for (let entry = output.next(); entry !== null; entry = output.next()) {
      const path = decodePath(entry.subarray(3));
      if (own.has(path) || foldersOf(path).some((folder) => own.has(folder))) return path;
    }
  }
  return inTheWay(worktree, own);
}

/** What can stand in an argument: a name that is not UTF-8 cannot, its folder does instead. */
function writable(path: string): string {
  let text = path;
  while (/\p{Cs}/u.test(text)) text = dirname(text);
  return text;
}

/** A file or link where a folder would have to be. A tracked one is among the paths itself, and was looked at as such. */
async function inTheWay(worktree: string, paths: ReadonlySet<string>): Promise<string | null> {
  for (const folder of new Set([...paths].flatMap(foldersOf))) {
    if (paths.has(folder)) continue;
    const place = Buffer.concat([Buffer.from(`${worktree}/`), encodePath(folder)]);
    const found = await lstat(place).catch(() => null);
    if (found !== null && !found.isDirectory()) return folder;
  }
  return null;
}

/** Every folder above a path, without the root. */
function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.push(folder);
  return folders;
}
