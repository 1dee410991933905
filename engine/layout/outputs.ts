/** Where manifests may be written: outside of every scope, and not to a name with a meaning for git, the code host or Backtrail. */
import { BacktrailError, type Config, MODE, quotePath, type TreeView } from '../model/index.ts';
import type { Layout } from './layout.ts';
import { ignoredNames } from './names.ts';
import { bindPath, compilePattern, fill } from './pattern.ts';
import { compileShared } from './shared-files.ts';

/** Files that code hosts and CI read by name, in any folder. */
const READ_BY_HOSTS = new Set([
  'codeowners',
  'jenkinsfile',
  'azure-pipelines.yml',
  'azure-pipelines.yaml',
  'bitbucket-pipelines.yml',
]);

/** Why manifests must not be written to a path (which may have placeholders), as a sentence; null if they may. */
export function pathProblem(path: string): string | null {
  for (const part of path.split('/').flatMap((name) => [name, ...name.split('\\')])) {
    const name = foldedName(part);
    if (name.startsWith('.')) return 'No part of the output may start with a dot.';
    if (READ_BY_HOSTS.has(name)) return `The output must not be ${name}, which code hosts interpret.`;
    // On NTFS `.github` is also GITHUB~1.
    if (/^[^.]{1,8}~\d+(?:\.[^.]{0,3})?$/.test(name))
      return 'The output must not be a Windows short name (8.3).';
  }
  return null;
}

/** Folds a name as case-insensitive and normalising file systems do. */
function foldedName(name: string): string {
  const visible = name.normalize('NFKC').replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}]/gu, '');
  // NTFS drops trailing dots and spaces, and a colon starts a stream name.
  return (
    visible
      .toLowerCase()
      .split(':', 1)[0]
      ?.trimStart()
      .replace(/[. ]+$/, '') ?? ''
  );
}

/** Sample names, to test patterns with. */
const ANY = { tenant: 'any-tenant', environment: 'any-environment', service: 'any-service' };

/** Returns a sentence if outputs would be inside the layout's own selections; null if not. */
export function layoutProblem({ layout, delivery }: Pick<Config, 'layout' | 'delivery'>): string | null {
  if (delivery === null) return null;
  // Without services an environment is delivered as a whole.
  if (layout.service.length > 0 && !delivery.output.includes('{service}'))
    return 'The pattern needs {service}.';
  const path = fill(delivery.output, ANY);
  const anyName = Object.values(ANY);
  const isIgnored = ignoredNames(layout);
  const shared = layout.shared.find((text) => compileShared([text]).isShared(path));
  if (shared !== undefined)
    return `The output matches ${JSON.stringify(shared)} of \`layout.shared\`: choose another folder.`;
  const owner = [...layout.environment, ...layout.service].find((text) => {
    const bindings = bindPath(compilePattern(text), {}).match(path);
    if (bindings === null) return false;
    // A sample name may stand for one that is not ignored, so only literal names count.
    const literal = Object.entries(bindings).filter(([, name]) => !anyName.some((any) => name.includes(any)));
    return !isIgnored(Object.fromEntries(literal));
  });
  if (owner === undefined) return null;
  return `The output matches the layout pattern ${JSON.stringify(owner)}: choose another folder, or exclude this one with layout.ignore.`;
}

/**
 * Checks an output before it is written.
 * @throws OUTPUT_UNSAFE if a scope owns the path, its name is reserved, or a symlink or submodule is on the path
 */
export async function requireOutput(layout: Layout, view: TreeView, path: string): Promise<void> {
  const problem = pathProblem(path) ?? ownerProblem(layout, path) ?? (await linkProblem(view, path));
  if (problem !== null)
    throw new BacktrailError(
      'OUTPUT_UNSAFE',
      `Manifests cannot be written to ${quotePath(path)}: ${problem}`,
      {
        details: { path },
      },
    );
}

function ownerProblem(layout: Layout, path: string): string | null {
  if (layout.shared.isShared(path)) return 'it is shared, by `layout.shared`.';
  for (const pattern of [...layout.environment, ...layout.service]) {
    const bindings = bindPath(pattern, {}).match(path);
    if (bindings !== null && !layout.isIgnored(bindings))
      return `it belongs to ${Object.values(bindings).join('/') || 'a scope'} by ${JSON.stringify(pattern.text)}.`;
  }
  return null;
}

async function linkProblem(view: TreeView, path: string): Promise<string | null> {
  const names = path.split('/');
  for (let depth = 1; depth <= names.length; depth += 1) {
    const parent = names.slice(0, depth).join('/');
    const entry = await view.entry(parent);
    if (entry?.mode === MODE.symlink) return `${quotePath(parent)} is a symlink.`;
    if (entry?.mode === MODE.submodule) return `${quotePath(parent)} is a submodule.`;
  }
  return null;
}
