import { MODE, type Write } from '../model/index.ts';
import type { CheckContext } from './context.ts';

/**
 * The plan's files as the writer wants them: a folder that the scope owns as a whole, and that becomes the target's to the last file, is
 * set by the target's one tree id; the rest file by file. Deletions first, so that a file can take a folder's place.
 */
export function orderWrites({ base, target, files }: CheckContext): Write[] {
  const changes = new Map(files.map(({ path, after }) => [path, after]));
  const becomesTarget = (path: string) => {
    const change = changes.get(path);
    const [result, wanted] = [change === undefined ? base.files.get(path) : change, target.files.get(path)];
    return result?.id === wanted?.id && result?.mode === wanted?.mode;
  };
  const left = [...new Set([...base.files.keys(), ...target.files.keys()])].filter(
    (path) => !becomesTarget(path),
  );
  const folders = [...target.trees].filter(
    ([folder]) => base.trees.has(folder) && !left.some((path) => path.startsWith(`${folder}/`)),
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
