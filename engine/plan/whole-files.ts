/** `--whole-file`: restores files as a whole instead of the selected parts in them. */
import { type Finding, quotePath } from '../model/index.ts';
import type { ScopeContent } from '../snapshot/scope-content.ts';

interface WholeFileContents {
  readonly base: ScopeContent;
  readonly target: ScopeContent;
  readonly paths: readonly string[];
  readonly findings: readonly Finding[];
}

/**
 * Replaces the selected parts that differ by their whole files. A file with a `#` in its name keeps its parts: in a record it would be
 * ambiguous with the one before a selector.
 */
export function asWholeFiles(base: ScopeContent, target: ScopeContent): WholeFileContents {
  const differing = differingPaths(base, target);
  const paths = differing.filter((path) => !path.includes('#'));
  const chosen = new Set(paths);
  const moved = ({ files, parts, shared, trees }: ScopeContent): ScopeContent => ({
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
  const message = `${quotePath(path)} is restored by its parts and not as a whole file, because the "#" in its name is ambiguous with the one before a selector.`;
  return {
    code: 'WHOLE_FILE',
    severity: 'warn',
    message,
    hint: 'To restore all of it, rename it or change it by hand.',
    path,
  };
}

function differingPaths(base: ScopeContent, target: ScopeContent): string[] {
  const parts = [...base.parts, ...target.parts].filter(
    ([key]) => base.parts.get(key)?.restorable !== target.parts.get(key)?.restorable,
  );
  return [...new Set(parts.map(([, { path }]) => path))].sort();
}
