import { BacktrailError, encodePath, quotePath } from '../../model/index.ts';
import { type ConfigEntry, hostileScope } from '../process/config.ts';
import type { Runner } from '../process/runner.ts';
import type { Environment } from '../process/spawn.ts';

/** Drivers of `gitattributes(5)`: programs that change files on their way between the repository and the worktree. */
const DRIVER = /^filter\.(.+)\.(?:smudge|clean|process|required)$/s;

/**
 * Files follow a rollback through the user's own filters. Those that only the repository's configuration defines (git-crypt unlocks a clone
 * that way) do not run here: the files would get stored bytes, and clean ones would look changed. FILTER_UNTRUSTED names the first.
 */
export async function requireOwnFilters(place: {
  readonly runner: Runner;
  readonly worktree: string;
  readonly env: Environment;
  readonly entries: readonly ConfigEntry[];
  readonly paths: readonly string[];
}): Promise<void> {
  const { runner, worktree, env, entries, paths } = place;
  const drivers = (list: readonly ConfigEntry[]) =>
    new Set(list.flatMap(({ key }) => DRIVER.exec(key)?.[1] ?? []));
  const own = drivers(entries.filter((entry) => !hostileScope(entry)));
  const foreign = [...drivers(entries.filter(hostileScope))].filter((name) => !own.has(name));
  const [first] = foreign;
  if (first === undefined || paths.length === 0) return;
  // The rollback itself may give a file another filter.
  const attributes = paths.find((path) => /(?:^|\/)\.gitattributes$/.test(path));
  if (attributes !== undefined) throw untrusted(attributes, first);
  const input = Buffer.concat(paths.map((path) => Buffer.concat([encodePath(path), Buffer.from([0])])));
  const options = { cwd: worktree, env: { ...env, GIT_WORK_TREE: worktree }, input };
  const { stdout } = await runner.run(['check-attr', '-z', '--stdin', 'filter'], options);
  const words = stdout.toString('utf8').split('\0');
  for (let at = 0; at + 2 < words.length; at += 3) {
    const [path = '', , filter = ''] = words.slice(at, at + 3);
    if (foreign.includes(filter)) throw untrusted(path, filter);
  }
}

function untrusted(path: string, filter: string): BacktrailError {
  return new BacktrailError(
    'FILTER_UNTRUSTED',
    `${quotePath(path)} is checked out through the filter ${JSON.stringify(filter)}, which only this repository's own configuration defines.`,
    { details: { path, filter } },
  );
}
