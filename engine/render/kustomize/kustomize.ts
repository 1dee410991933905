/** Renderer `kustomize`: builds kustomizations with `kustomize` or `kubectl`, which get only the files referred to. */
import { BacktrailError, MODE, type Programs, quotePath, type TreeView } from '../../model/index.ts';
import { collectFiles, resolvePath } from '../collect-files.ts';
import { parseOutput, programFailed } from '../program-output.ts';
import type { Renderer, Tool } from '../renderer.ts';
import {
  findKustomization,
  type Kustomization,
  readKustomization,
  type Reference,
  remoteProblem,
} from './kustomization.ts';
import { readPlugins } from './plugins.ts';

export const kustomize: Renderer = {
  name: 'kustomize',
  render: async ({ view, unit, programs, versions }) => {
    const { directory } = unit;
    if (directory === null) return null;
    const path = await findKustomization(view, directory);
    if (path === null) return null;
    if (await listsSecretsOnly(view, directory, path)) return null;
    const files = await kustomizationFiles(view, directory);
    if (programs === null) throw notInstalled(path);
    const tool = await (versions.kustomize ??= findTool(programs));
    if (tool === null) throw notInstalled(path);
    const result = await programs.run({ argv: [...tool.build, `./${directory}`], files });
    if (result === null) throw notInstalled(path);
    const named = { what: tool.build.join(' '), directory };
    if (result.code !== 0) throw programFailed(named, result);
    return { version: tool.version, objects: parseOutput(named, result.stdout) };
  },
};

const notInstalled = (path: string) =>
  new BacktrailError(
    'RENDER_FAILED',
    `${quotePath(path)} needs Kustomize, but neither kustomize nor kubectl was found.`,
    {
      hint: 'Install kustomize or kubectl where this runs (a worker too), so that PATH finds it.',
      details: { path },
    },
  );

async function findTool(programs: Programs): Promise<Tool | null> {
  const ask = (argv: string[]) => programs.run({ argv, files: new Map() });
  const version = (stdout: Uint8Array, pattern: RegExp) =>
    pattern.exec(new TextDecoder().decode(stdout))?.[1] ?? 'unknown';
  const own = await ask(['kustomize', 'version']);
  if (own?.code === 0)
    return { build: ['kustomize', 'build'], version: version(own.stdout, /v?(\d+\.\d+\.\d+[\w.+-]*)/) };
  const kubectl = await ask(['kubectl', 'version', '--client', '-o', 'json']);
  if (kubectl?.code !== 0) return null;
  const pattern = /"kustomizeVersion":\s*"v?([\w.+-]+)"/;
  return { build: ['kubectl', 'kustomize'], version: version(kubectl.stdout, pattern) };
}

/** A kustomization that lists only encrypted files is for the deployer, who decrypts them; the manifests are beside it. */
async function listsSecretsOnly(view: TreeView, folder: string, path: string): Promise<boolean> {
  const { listsOnly, references } = await readKustomizationAt(view, path);
  if (!listsOnly) return false;
  for (const reference of references) {
    if (/\.(?:enc|sops)\.(?:ya?ml|json)$/.test(reference.path)) continue;
    const file = remoteProblem(reference.path) === null ? resolvePath(folder, reference.path) : null;
    const bytes = file && (await view.read(file));
    if (!bytes || !/^(?:sops:|[ \t]*"sops":)/m.test(new TextDecoder().decode(bytes))) return false;
  }
  return references.length > 0;
}

async function readKustomizationAt(view: TreeView, path: string): Promise<Kustomization> {
  const files = collectFiles(view);
  return readKustomization(path, await files.take(path, (problem) => failed(path, problem)));
}

const failed = (path: string, problem: string) =>
  new BacktrailError('RENDER_FAILED', `${quotePath(path)} ${problem}`, { details: { path } });

/**
 * The files of a kustomization and of everything it refers to.
 * @throws RENDER_FAILED naming the entry that is refused
 */
export async function kustomizationFiles(
  view: TreeView,
  directory: string,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const collector = collectFiles(view);
  const visited = new Set<string>();
  const waiting = [{ folder: directory, from: null as Reference | null }];
  const visit = async (folder: string, from: Reference | null) => {
    if (visited.has(folder)) return;
    visited.add(folder);
    const path = await findKustomization(view, folder);
    if (path === null)
      throw from ? from.refuse('is a folder without a kustomization.') : failed(folder, 'is empty.');
    const kustomization = readKustomization(
      path,
      await collector.take(path, (problem) => failed(path, problem)),
    );
    for (const reference of kustomization.inline)
      for (const inner of readPlugins(path, new TextEncoder().encode(reference.path), reference))
        await follow(folder, inner);
    for (const reference of kustomization.references) await follow(folder, reference);
  };
  const follow = async (folder: string, reference: Reference) => {
    const { wanted } = reference;
    const refuse: Reference['refuse'] = (problem, hint) => reference.refuse(problem, hint);
    const problem = remoteProblem(reference.path);
    if (problem !== null) throw refuse(problem, LOCAL);
    const path = resolvePath(folder, reference.path);
    if (path === null) throw refuse('leaves the repository.', LOCAL);
    const found = await collector.entry(path, refuse);
    if (found?.mode === MODE.tree && (wanted === 'any' || wanted === 'folder'))
      waiting.push({ folder: path, from: reference });
    else if (wanted === 'folder') throw refuse(found === null ? 'does not exist.' : 'is not a folder.');
    else {
      const bytes = await collector.take(path, refuse);
      if (wanted === 'plugin')
        for (const inner of readPlugins(path, bytes, reference)) await follow(folder, inner);
    }
  };
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
    await visit(next.folder, next.from);
  return collector.files;
}

const LOCAL = 'Commit the file, and refer to it by a relative path inside the repository.';
