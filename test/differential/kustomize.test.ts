import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kustomizationFiles } from '../../engine/render/kustomize/kustomize.ts';
import { openGit } from '../../engine/git/open.ts';
import { isFailure } from '../../engine/model/index.ts';
import { treeView } from '../../engine/snapshot/view.ts';
import { memoryTree } from '../helpers/trees/memory-tree.ts';
import { kubectl, needsKubectl, programsOf } from '../helpers/program/programs.ts';
import { createRepo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { isProof, runs } from '../helpers/run/proof.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What kubectl prints in a folder where everything is; null where it fails. */
function builtThere(root: string, folder: string): string | null {
  try {
    return execFileSync('kubectl', ['kustomize', `./${folder}`], {
      cwd: root,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch {
    return null;
  }
}

async function builtHere(view: Parameters<typeof kustomizationFiles>[0], folder: string) {
  try {
    const files = await kustomizationFiles(view, folder);
    const result = await programsOf().run({ argv: ['kubectl', 'kustomize', `./${folder}`], files });
    return { files: files.size, output: result?.code === 0 ? text(result.stdout) : null };
  } catch (error) {
    if (isFailure(error) && error.code === 'RENDER_FAILED') return { files: 0, output: null };
    throw error;
  }
}

/** Folders of a generated tree: one may refer to those after it, so that there is no circle and nothing comes twice. */
const FOLDERS = ['app', 'bases/a', 'bases/b', 'parts/x', 'parts/y'] as const;
const part = (index: number) => FOLDERS[index]?.startsWith('parts/') === true;
const up = (from: string, to: string) => `${'../'.repeat(from.split('/').length)}${to}`;

const flags = fc.record({
  bases: fc.subarray([1, 2]),
  components: fc.subarray([3, 4]),
  generator: fc.constantFrom('none', 'files', 'envs', 'secret', 'literals'),
  patch: fc.constantFrom('none', 'path', 'inline', 'merge', 'json'),
  extra: fc.constantFrom(
    '',
    'namePrefix: p-',
    'namespace: ns',
    'commonLabels: { a: b }',
    'buildMetadata: [ originAnnotations ]',
  ),
  replace: fc.boolean(),
  plugin: fc.constantFrom('none', 'file', 'inline'),
  name: fc.constantFrom('kustomization.yaml', 'kustomization.yml', 'Kustomization'),
  missing: fc.integer({ max: 40, min: 0 }).map((number) => number === 0),
});

type Flags = typeof flags extends fc.Arbitrary<infer Value> ? Value : never;

function folderFiles(index: number, chosen: Flags): Record<string, string> {
  const folder = FOLDERS[index] ?? '';
  const name = folder.replace('/', '-');
  const component = part(index);
  const resource = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { from: ${name} }\n`;
  const patch = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: any }\ndata: { patched: "yes" }\n';
  const plugin = `apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: { name: t-${name} }\nannotations: { plugin: ${name} }\nfieldSpecs: [ { path: metadata/annotations, create: true } ]\n`;
  const later = (list: readonly number[]) =>
    list.filter((other) => other > index).map((other) => up(folder, FOLDERS[other] ?? ''));
  const target = `target: { kind: ConfigMap, name: ".*" }`;
  const own = patch.replace('any', name);
  const patches = {
    none: '',
    path: `patches: [ { path: patch.yaml, ${target} } ]`,
    inline: `patches: [ { patch: ${JSON.stringify(patch)}, ${target} } ]`,
    merge: `patchesStrategicMerge: [ own.yaml ]`,
    json: `patchesJson6902: [ { path: json.yaml, target: { version: v1, kind: ConfigMap, name: ${name} } } ]`,
  };
  const generators = {
    none: '',
    files: `configMapGenerator: [ { name: g-${name}, files: [ a.txt, renamed=deep/b.txt ] } ]`,
    envs: `configMapGenerator: [ { name: g-${name}, envs: [ one.env ], env: two.env } ]`,
    secret: `secretGenerator: [ { name: g-${name}, files: [ a.txt ], options: { disableNameSuffixHash: true } } ]`,
    literals: `configMapGenerator: [ { name: g-${name}, literals: [ "a=https://example.com/x" ] } ]`,
  };
  const plugins = {
    none: '',
    file: 'transformers: [ plugin.yaml ]',
    inline: `transformers: [ ${JSON.stringify(plugin)} ]`,
  };
  const source = `{ kind: ConfigMap, name: ${name}, fieldPath: data.from }`;
  const lines = [
    component ? 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component' : 'kind: Kustomization',
    `resources: ${JSON.stringify(['own-resource.yaml', ...(component ? [] : later(chosen.bases).slice(0, 1)), ...(chosen.missing ? ['gone.yaml'] : [])])}`,
    `components: ${JSON.stringify(index === 0 ? later(chosen.components) : [])}`,
    patches[chosen.patch],
    generators[chosen.generator],
    plugins[chosen.plugin],
    chosen.extra,
    chosen.replace ? 'replacements: [ { path: replace.yaml } ]' : '',
  ];
  const at = (file: string) => `${folder}/${file}`;
  return {
    [at(chosen.name)]: `${lines.filter((line) => line !== '').join('\n')}\n`,
    [at('own-resource.yaml')]: resource,
    [at('patch.yaml')]: patch,
    [at('own.yaml')]: own,
    [at('json.yaml')]: '- { op: add, path: /data/json, value: "1" }\n',
    [at('plugin.yaml')]: plugin,
    [at('replace.yaml')]:
      `- source: ${source}\n  targets: [ { select: { kind: ConfigMap, name: ${name} }, fieldPaths: [ data.copy ], options: { create: true } } ]\n`,
    [at('a.txt')]: 'a\n',
    [at('deep/b.txt')]: 'b\n',
    [at('one.env')]: 'A=1\n',
    [at('two.env')]: 'B=2\n',
    [at('unused.yaml')]: resource,
  };
}

describe.skipIf(!kubectl)(`building only what a kustomization refers to${needsKubectl}`, () => {
  it('prints the bytes that a build in a full checkout prints, and fails where that fails', async () => {
    let built = 0;
    await fc.assert(
      fc.asyncProperty(fc.tuple(flags, flags, flags, flags, flags), async (all) => {
        const files = Object.fromEntries(
          all.flatMap((chosen, index) => Object.entries(folderFiles(index, chosen))),
        );
        const root = await temporaryFolder();
        for (const [path, content] of Object.entries(files)) {
          await mkdir(dirname(join(root, path)), { recursive: true });
          await writeFile(join(root, path), content);
        }
        const { output } = await builtHere(memoryTree(files).view, 'app');
        expect(output).toBe(builtThere(root, 'app'));
        if (output !== null) built += 1;
      }),
      { numRuns: runs(40, 4), seed: 20261121 },
    );
    expect(built).toBeGreaterThan(runs(20, 0));
  });
});

const folder = process.env['BACKTRAIL_REAL_REPOS'] ?? '';
const bundle = join(folder, 'flux2-kustomize-helm-example.bundle');
const skipped = !kubectl || folder === '' || !existsSync(bundle);

describe.skipIf(skipped)(
  'kustomizations of a real repository (needs BACKTRAIL_REAL_REPOS and kubectl)',
  () => {
    it.runIf(isProof)(
      'print, from what they refer to, the bytes that they print in a full checkout',
      async () => {
        const repo = await createRepo();
        await repo.git('fetch', '--quiet', bundle, '+refs/heads/main:refs/heads/real');
        await repo.git('checkout', '--quiet', 'real');
        const git = await openGit({
          location: repo.folder,
          env: repo.env,
          cacheFolder: await temporaryFolder(),
        });
        const { tree } = await git.objects.commit(await repo.git('rev-parse', 'HEAD'));
        const files = (await repo.git('ls-files')).split('\n');
        const folders = files
          .filter((path) => path.endsWith('/kustomization.yaml'))
          .map((path) => dirname(path));
        const built: string[] = [];
        for (const place of folders) {
          const there = builtThere(repo.folder, place);
          const here = await builtHere(treeView(git.objects, tree), place);
          expect([place, here.output]).toEqual([place, there]);
          expect(here.files).toBeLessThan(files.length / 2);
          if (there !== null) built.push(place);
        }
        await git.close();
        expect(built).toEqual(
          expect.arrayContaining(['apps/production', 'apps/staging', 'apps/base/podinfo']),
        );
      },
    );
  },
);
