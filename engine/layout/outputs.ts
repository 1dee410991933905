/** Where manifests may go: to paths that no scope holds, and that mean nothing to git, to the code host or to Backtrail. */
import { BacktrailError, type Config, MODE, quotePath, type TreeView } from '../model/index.ts';
import type { Layout } from './layout.ts';
import { ignoredNames } from './names.ts';
import { bindPath, compilePattern, fill } from './pattern.ts';
import { compileShared } from './shared.ts';

/** What code hosts and CI read by its name alone, wherever it stands. */
const READ_BY_HOSTS = new Set([
  'codeowners',
  'jenkinsfile',
  'azure-pipelines.yml',
  'azure-pipelines.yaml',
  'bitbucket-pipelines.yml',
]);

/** Why manifests must not go to a path (placeholders may stand in it), as a sentence; null where they may. */
export function pathProblem(path: string): string | null {
  for (const part of path.split('/').flatMap((name) => [name, ...name.split('\\')])) {
    const name = foldedName(part);
    if (name.startsWith('.')) return 'No part of the output may begin with a dot.';
    if (READ_BY_HOSTS.has(name)) return `The output must not be ${name}, which code hosts read.`;
    // NTFS knows `.github` as GITHUB~1 as well.
    if (/^[^.]{1,8}~\d+(?:\.[^.]{0,3})?$/.test(name))
      return 'The output must not be a short name of Windows.';
  }
  return null;
}

/** A name as file systems that fold case, compatible characters and what is not shown would find it. */
function foldedName(name: string): string {
  const shown = name.normalize('NFKC').replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}]/gu, '');
  // NTFS drops blanks and dots at the end, and takes what follows a colon for a stream.
  return (
    shown
      .toLowerCase()
      .split(':', 1)[0]
      ?.trimStart()
      .replace(/[. ]+$/, '') ?? ''
  );
}

/** Names that stand for those of any scope. */
const ANY = { tenant: 'any-tenant', environment: 'any-environment', service: 'any-service' };

/** Whether the output of every scope lies in what the layout selects, as a sentence; null where it does not. */
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
    return `The output lies in what is shared by ${JSON.stringify(shared)}: name another folder.`;
  const owner = [...layout.environment, ...layout.service].find((text) => {
    const bindings = bindPath(compilePattern(text), {}).match(path);
    if (bindings === null) return false;
    // What stands for any name may be one that is not ignored.
    const literal = Object.entries(bindings).filter(([, name]) => !anyName.some((any) => name.includes(any)));
    return !isIgnored(Object.fromEntries(literal));
  });
  if (owner === undefined) return null;
  return `The output lies in what the layout selects with ${JSON.stringify(owner)}: name another folder, or ignore that one in layout.ignore.`;
}

/**
 * Proves one output where it is about to be written. OUTPUT_UNSAFE for one that a scope holds, that has a name of the kind above, or
 * that a link of the tree would lead elsewhere.
 */
export async function requireOutput(layout: Layout, view: TreeView, path: string): Promise<void> {
  const problem = pathProblem(path) ?? ownerProblem(layout, path) ?? (await linkProblem(view, path));
  if (problem !== null)
    throw new BacktrailError('OUTPUT_UNSAFE', `Manifests cannot go to ${quotePath(path)}: ${problem}`, {
      details: { path },
    });
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
    const place = names.slice(0, depth).join('/');
    const entry = await view.entry(place);
    if (entry?.mode === MODE.symlink) return `${quotePath(place)} is a link.`;
    if (entry?.mode === MODE.submodule) return `${quotePath(place)} is a submodule.`;
  }
  return null;
}
