/** `--whole-file`: files in place of the parts that are selected in them. */
import { type Finding, quotePath } from '../model/index.ts';
import type { Content } from '../snapshot/content.ts';

interface AsWholeFiles {
  readonly base: Content;
  readonly target: Content;
  readonly paths: readonly string[];
  readonly findings: readonly Finding[];
}

/**
 * Makes whole paths of the files in which a selected part differs. A record could not tell a `#` in a name from the one before a selector: such a
 * file keeps its parts.
 */
export function asWholeFiles(base: Content, target: Content): AsWholeFiles {
  const differing = differingPaths(base, target);
  const paths = differing.filter((path) => !path.includes('#'));
  const chosen = new Set(paths);
  const moved = ({ files, parts, shared, trees }: Content): Content => ({
    files: new Map([...files, ...[...shared].filter(([path]) => chosen.has(path))]),
    parts: new Map([...parts].filter(([, { path }]) => !chosen.has(path))),
    shared: new Map([...shared].filter(([path]) => !chosen.has(path))),
    trees,
  });
  return {
    base: moved(base),
    target: moved(target),
    paths,
    findings: differing.filter((path) => path.includes('#')).map(leftInParts),
  };
}

function leftInParts(path: string): Finding {
  const message = `${quotePath(path)} is restored by its parts and not as a whole file, because a record cannot tell the "#" in its name from the one before a selector.`;
  return {
    code: 'WHOLE_FILE',
    severity: 'warn',
    message,
    hint: 'To restore all of it, give it another name or change it by hand.',
    path,
  };
}

function differingPaths(base: Content, target: Content): string[] {
  const parts = [...base.parts, ...target.parts].filter(
    ([key]) => base.parts.get(key)?.restorable !== target.parts.get(key)?.restorable,
  );
  return [...new Set(parts.map(([, { path }]) => path))].sort();
}
