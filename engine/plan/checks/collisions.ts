import { MODE, quotePath, type Finding, type TreeView } from '../../model/index.ts';
import type { CheckContext } from '../check-context.ts';
import { walkFiles } from '../../snapshot/view.ts';

/** PATH_COLLISION or KEPT: a file of the target is at the path of a folder of the base (or inside a file) that is not removed. */
export async function checkCollisions({ query, files, kept }: CheckContext): Promise<Finding[]> {
  const view = await query.snapshot.view(query.snapshot.base);
  const removed = new Set(files.filter(({ after }) => after === null).map(({ path }) => path));
  const keptPaths = new Set(kept.map(({ path }) => path));
  const findings: Finding[] = [];
  for (const { path, before, after } of files) {
    if (after === null || before !== null) continue;
    for (const other of await occupants(view, path)) {
      if (removed.has(other)) continue;
      const code = keptPaths.has(other) ? 'KEPT' : 'PATH_COLLISION';
      findings.push({
        code,
        severity: 'block',
        message: `${quotePath(path)} cannot be restored: ${quotePath(other)} is in the way.`,
        path,
      });
      break;
    }
  }
  return findings;
}

/** Files of the base that prevent a new file at `path`: one at a parent's path, or all below it. */
async function occupants(view: TreeView, path: string): Promise<string[]> {
  const names = path.split('/');
  for (let depth = 1; depth < names.length; depth += 1) {
    const parent = names.slice(0, depth).join('/');
    const entry = await view.entry(parent);
    if (entry === null) return [];
    if (entry.mode !== MODE.tree) return [parent];
  }
  return (await walkFiles(view, path)).map((file) => file.path).filter((file) => file !== path);
}
