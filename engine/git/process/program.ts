import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { BacktrailError } from '../../model/index.ts';
import { discoveryEnvironment } from './environment.ts';
import type { ProcessEnvironment } from './spawn.ts';
import { run } from './spawn.ts';

/** What git must be able to do, and since when it can. */
export const GIT_FEATURES = [
  { name: 'cat-file --batch-command', since: [2, 36] },
  { name: 'core.fsync', since: [2, 36] },
  { name: 'worktree list -z', since: [2, 36] },
  { name: 'push --atomic with leases', since: [2, 8] },
  { name: 'commit-graph --changed-paths', since: [2, 27] },
] as const;

/** The oldest git that can do all of it. */
export const OLDEST_GIT = '2.36';

export interface GitVersion {
  /** As git says it, `2.39.5`; `?` where it says none. */
  readonly text: string;
  /** What this git cannot do. */
  readonly missing: readonly string[];
}

/** GIT_MISSING where there is no such program. */
export async function gitVersion(env: ProcessEnvironment, timeoutMs: number): Promise<GitVersion> {
  const { stdout } = await run({ args: ['version'], cwd: '/', env: discoveryEnvironment(env), timeoutMs });
  const [text = '?', major = 0, minor = 0] = /(\d+)\.(\d+)(\.\d+)*/.exec(stdout.toString('utf8')) ?? [];
  const lacks = ([wantedMajor, wantedMinor]: readonly [number, number]) =>
    Number(major) < wantedMajor || (Number(major) === wantedMajor && Number(minor) < wantedMinor);
  return { text, missing: GIT_FEATURES.filter(({ since }) => lacks(since)).map(({ name }) => name) };
}

/** The PATH whose git was new enough when it was asked last: of each remote that is opened it would be asked again. */
let newEnough: string | null = null;

/** @throws GIT_MISSING where git is too old, or missing */
export async function requireVersion(env: ProcessEnvironment, timeoutMs: number): Promise<void> {
  const path = env['PATH'] ?? '';
  if (path === newEnough) return;
  const { text, missing } = await gitVersion(env, timeoutMs);
  if (missing.length > 0) throw tooOld(text);
  newEnough = path;
}

/** `version`: as git says it, where that is known. */
export function tooOld(version: string): BacktrailError {
  return new BacktrailError('GIT_MISSING', `git ${version}`.trimEnd() + ' is too old.', {
    details: { version },
  });
}

/** Where a program is on PATH; null where it is not. */
export async function findProgram(name: string, env: ProcessEnvironment): Promise<string | null> {
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter(isAbsolute)) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => null);
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs && found?.isFile() === true) return file;
  }
  return null;
}
