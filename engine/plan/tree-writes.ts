import { MODE, type Write } from '../model/index.ts';
import type { CheckContext } from './check-context.ts';

/**
 * The tree edits of a plan: a folder that the scope owns completely, and that becomes equal to the target's, is set by the target's tree id;
 * all else file by file. Deletions first, so that a file can replace a folder.
 */
export function orderWrites({ base, target, files }: CheckContext): Write[] {
  const changes = new Map(files.map(({ path, after }) => [path, after]));
  const becomesTarget = (path: string) => {
    const change = changes.get(path);
    const [result, wanted] = [change === undefined ? base.files.get(path) : change, target.files.get(path)];
    return result?.id === wanted?.id && result?.mode === wanted?.mode;
  };
  const different = [...new Set([...base.files.keys(), ...target.files.keys()])].filter(
    (path) => !becomesTarget(path),
  );
  const folders = [...target.trees].filter(
    ([folder]) => base.trees.has(folder) && !different.some((path) => path.startsWith(`${folder}/`)),
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
