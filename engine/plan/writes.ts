import { MODE, type Write } from '../model/index.ts';
import type { CheckContext } from './plan.ts';

/**
 * The plan's files as the writer wants them: a folder that the scope owns as a whole, with nothing kept in it, is set by the
 * target's one tree id; the rest file by file. Deletions first, so that a file can take a folder's place.
 */
export function orderWrites({ base, target, files, kept }: CheckContext): Write[] {
  const folders = [...target.trees].filter(
    ([folder]) => base.trees.has(folder) && !kept.some(({ path }) => path.startsWith(`${folder}/`)),
  );
  const below = (path: string) => folders.some(([folder]) => path.startsWith(`${folder}/`));
  const changed = (folder: string) => files.some(({ path }) => path.startsWith(`${folder}/`));
  const single = files.filter(({ path }) => !below(path)).map(({ path, after }): Write => ({ path, after }));
  const whole = folders
    .filter(([folder]) => changed(folder))
    .map(([path, id]): Write => ({ path, after: { mode: MODE.tree, id } }));
  return [
    ...single.filter(({ after }) => after === null),
    ...whole,
    ...single.filter(({ after }) => after !== null),
  ];
}
