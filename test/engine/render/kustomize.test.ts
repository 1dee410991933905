import { describe, expect, it } from 'vitest';
import { kustomizationFiles } from '../../../engine/render/kustomize/kustomize.ts';
import { renderServices } from '../../../engine/render/index.ts';
import { isFailure, MODE } from '../../../engine/model/index.ts';
import { documentsOf, FOLDER, unitOf } from '../../helpers/trees/deliver.ts';
import { type Held, hasher, memoryTree } from '../../helpers/trees/memory-tree.ts';
import { kubectl, needsKubectl, programsOf } from '../../helpers/program/programs.ts';

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m }\n';
const K = `${FOLDER}/kustomization.yaml`;

async function build(files: Readonly<Record<string, Held>>, programs = programsOf()) {
  const unit = unitOf({});
  const outputs = await renderServices(memoryTree(files).view, [unit], { hasher, programs });
  return outputs.get(unit.output) ?? null;
}

async function refusal(
  files: Readonly<Record<string, Held>>,
): Promise<{ code: string; message: string; hint: string }> {
  try {
    await kustomizationFiles(memoryTree({ [`${FOLDER}/m.yaml`]: MAP, ...files }).view, FOLDER);
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

const taken = async (files: Readonly<Record<string, Held>>) =>
  [...(await kustomizationFiles(memoryTree(files).view, FOLDER)).keys()].sort();

describe('what a kustomization refers to', () => {
  it('is followed through bases, components and every field that names a file, and nothing else is taken', async () => {
    const files = {
      [K]: [
        'resources: [ m.yaml, ../../../../../bases/web ]',
        'components: [ "../../../../../parts/metrics/" ]',
        'crds: [ crd.json ]',
        'configurations: [ names.yaml ]',
        'openapi: { path: schema.json }',
        'patches: [ { path: patch.yaml }, { patch: "[]", target: { kind: X } } ]',
        'patchesStrategicMerge: [ merge.yaml, "{ kind: X }", "kind: X\\n" ]',
        'patchesJson6902: [ { path: json.yaml } ]',
        'replacements: [ { path: replace.yaml }, { source: { kind: X } } ]',
        'configMapGenerator: [ { name: a, files: [ plain.txt, key=named.txt ], envs: [ one.env ], env: two.env, literals: [ "a=https://x" ] } ]',
        'secretGenerator: [ { name: b, files: [ secret.txt ] } ]',
        'transformers: [ prefix.yaml, "apiVersion: builtin\\nkind: PatchTransformer\\nmetadata: { name: p }\\npath: inline.yaml\\n" ]',
      ].join('\n'),
      'bases/web/kustomization.yml': 'bases: [ ../common ]\n',
      'bases/web/unused.yaml': MAP,
      'bases/common/Kustomization': 'resources:\n',
      'parts/metrics/kustomization.yaml': 'kind: Component\n',
      [`${FOLDER}/prefix.yaml`]:
        'apiVersion: builtin\nkind: PatchStrategicMergeTransformer\npaths: [ nested.yaml ]\n',
    };
    const named =
      'm.yaml crd.json names.yaml schema.json patch.yaml merge.yaml json.yaml replace.yaml plain.txt named.txt one.env two.env secret.txt inline.yaml nested.yaml prefix.yaml kustomization.yaml'.split(
        ' ',
      );
    const own = Object.fromEntries(named.map((name) => [`${FOLDER}/${name}`, 'x: 1\n']));
    expect(
      await taken({ ...own, ...files, [`${FOLDER}/unused.yaml`]: MAP, 'secrets/root.key': 'x' }),
    ).toEqual(
      [
        ...Object.keys(own),
        'bases/web/kustomization.yml',
        'bases/common/Kustomization',
        'parts/metrics/kustomization.yaml',
      ].sort(),
    );
  });

  it('is followed once where it goes round in a circle', async () => {
    const files = { [K]: 'resources: [ ../b ]\n' };
    const other = 'tenants/acme/production/services/b/kustomization.yaml';
    expect(await taken({ ...files, [other]: 'resources: [ ../api ]\n' })).toEqual([K, other]);
  });

  it.each([
    'https://example.com/m.yaml',
    'http://example.com/m.yaml',
    'HTTPS://example.com/m.yaml',
    'https://github.com/org/repo//path?ref=v1',
    'git::https://example.com/org/repo.git',
    'ssh://git@example.com/org/repo',
    'git@github.com:org/repo.git',
    'org-12@github.com:org/repo',
    'example.com:org/repo',
    'github.com/org/repo//path?ref=main',
    'github.com/org/repo',
    'GitHub.com/org/repo',
    'www.github.com/org/repo',
    'gitlab.com/org/repo',
    'example.com/org/repo.git',
    'example.com/org/repo.git/path',
    'example.com/_git/repo',
    'example.com/org/repo//path',
    'example.com/org/repo?ref=v1',
    'file:///etc/passwd',
    'file://../../secret',
    's3::https://bucket/x',
  ])('is refused when it is remote: %s', async (entry) => {
    for (const field of ['resources', 'bases', 'components', 'crds', 'transformers']) {
      const error = await refusal({ [K]: `namespace: a\n${field}:\n  - ${JSON.stringify(entry)}\n` });
      expect(error.code).toBe('RENDER_FAILED');
      expect(error.message).toContain(
        `${K}:3:5: ${field}: the entry "${entry.replace('//git@', '//')}" is remote`,
      );
    }
    for (const text of [
      `patches: [ { path: ${JSON.stringify(entry)} } ]`,
      `configMapGenerator: [ { name: a, files: [ ${JSON.stringify(`k=${entry}`)} ] } ]`,
      `secretGenerator: [ { name: a, envs: [ ${JSON.stringify(entry)} ] } ]`,
      `openapi: { path: ${JSON.stringify(entry)} }`,
      `replacements: [ { path: ${JSON.stringify(entry)} } ]`,
      `patchesStrategicMerge: [ ${JSON.stringify(entry)} ]`,
      `patches: [ ${JSON.stringify(entry)} ]`,
    ])
      expect((await refusal({ [K]: `${text}\n` })).message).toContain('is remote');
  });

  it('is refused in a base as well, and the base is named', async () => {
    const files = {
      [K]: 'resources: [ ../../../../../base ]\n',
      'base/kustomization.yaml': 'resources: [ "git@x:y" ]\n',
    };
    expect((await refusal(files)).message).toMatch(
      /^base\/kustomization\.yaml:1:14: resources: the entry "git@x:y"/,
    );
  });

  it('never shows the login of an address', async () => {
    const { message } = await refusal({ [K]: 'resources: [ "https://bob:hunter2@example.com/x" ]\n' });
    expect(message).toContain('https://example.com/x');
    expect(message).not.toContain('hunter2');
  });

  it.each([
    ['an absolute path', '/etc/passwd', 'is an absolute path'],
    ['a way out of the repository', '../../../../../../etc/passwd', 'leaves the repository'],
    ['a way out and in again', '../../../../../../tenants/acme/x.yaml', 'leaves the repository'],
    ['the repository of git itself', '../../../../../.git/config', 'is not safe to check out'],
    ['nothing', 'missing.yaml', 'does not exist'],
    ['a folder without a kustomization', 'empty', 'is a folder without a kustomization'],
    ['a link', 'link.yaml', 'is a symbolic link'],
    ['a link on the way', 'linked/m.yaml', 'is behind a symbolic link'],
    ['a submodule', 'module', 'is a submodule'],
  ])('is refused when it is %s', async (_, entry, problem) => {
    const files = {
      [K]: `resources: [ ${JSON.stringify(entry)} ]\n`,
      [`${FOLDER}/empty/x.txt`]: '',
      [`${FOLDER}/link.yaml`]: { mode: MODE.symlink, text: '/etc/passwd' },
      [`${FOLDER}/linked`]: { mode: MODE.symlink, text: '/etc' },
      [`${FOLDER}/module`]: { mode: MODE.submodule, text: '' },
    };
    expect((await refusal(files)).message).toContain(problem);
  });

  it('is refused when a folder holds two, of which Kustomize would take none', async () => {
    const other = `${FOLDER}/Kustomization`;
    expect((await refusal({ [K]: 'resources: []\n', [other]: 'resources: []\n' })).message).toBe(
      `${FOLDER} has several kustomizations, but a folder may have only one: ${K}, ${other}.`,
    );
  });

  it('is refused when the kustomization itself is a link', async () => {
    const link = { mode: MODE.symlink, text: '../other/kustomization.yaml' };
    expect((await refusal({ [K]: link })).message).toBe(`${K} is a symbolic link; links are not followed.`);
  });
});

describe('what would run a program', () => {
  it.each([
    ['helmCharts: [ { name: x, repo: https://x } ]', 'Helm charts are not inflated'],
    ['helmChartInflationGenerator: [ { chartName: x } ]', 'Helm charts are not inflated'],
    ['helmGlobals: { chartHome: x }', 'Helm charts are not inflated'],
    ['generators: [ "apiVersion: example.com/v1\\nkind: Exec\\n" ]', 'would run a program'],
    ['transformers: [ plugin.yaml ]', 'would run a program'],
    ['validators: [ function.yaml ]', 'would run a program'],
    ['transformers: [ second.yaml ]', 'would run a program'],
    ['transformers: [ list.yaml ]', 'would run a program'],
    ['generators: [ chart.yaml ]', 'would run helm'],
    ['generators: [ ../../../../../base ]', 'is a folder, but must be a file'],
  ])('is refused: %s', async (text, problem) => {
    const files = {
      [K]: `${text}\n`,
      [`${FOLDER}/plugin.yaml`]: 'apiVersion: example.com/v1\nkind: Exec\nmetadata: { name: x }\n',
      [`${FOLDER}/function.yaml`]:
        'apiVersion: builtin\nkind: X\nmetadata:\n  annotations:\n    config.kubernetes.io/function: "exec: { path: ./x }"\n',
      [`${FOLDER}/second.yaml`]:
        'apiVersion: builtin\nkind: LabelTransformer\n---\napiVersion: v1\nkind: Exec\n',
      [`${FOLDER}/list.yaml`]:
        'apiVersion: builtin\nkind: XList\nitems: [ { apiVersion: v1, kind: Exec } ]\n',
      [`${FOLDER}/chart.yaml`]: 'apiVersion: builtin\nkind: HelmChartInflationGenerator\n',
      'base/kustomization.yaml': '',
    };
    const error = await refusal(files);
    expect([error.code, error.message]).toEqual(['RENDER_FAILED', expect.stringContaining(problem)]);
  });
});

describe('what Kustomize could read otherwise', () => {
  const hidden = 'resources: [ https://example.com/x ]';
  it.each([
    ['a key in another case', 'Resources: [ m.yaml ]', 'not a known field of a kustomization'],
    ['a key that Unicode folds', 're\u017fources: [ m.yaml ]', 'not a known field of a kustomization'],
    ['a nested key in another case', 'patches: [ { Path: https://x } ]', 'must be written path'],
    ['a key that stands twice', `resources: [ m.yaml ]\n${hidden}`, 'is a duplicate'],
    ['a line break of YAML 1.1 only', `# a\u2028${hidden}`, 'unusual line break'],
    ['another one', `# a\u0085${hidden}`, 'unusual line break'],
    ['a carriage return', `# a\r${hidden}`, 'unusual line break'],
    ['the end of the text before its end', `a: b\u0000\n${hidden}`, 'control character'],
    ['a second document', `resources: [ m.yaml ]\n---\n${hidden}`, 'must be one document'],
    ['text in disguise', 'resources: [ !!binary aHR0cHM6Ly94 ]', 'YAML tags are not rendered'],
    ['text instead of a list', 'resources: https://x', 'must be a list'],
    ['a map instead of text', 'resources: [ { a: https://x } ]', 'must be text'],
    ['a list instead of a kustomization', '- a', 'must be a map'],
    ['no YAML', 'resources: [', 'not valid YAML'],
    [
      'a bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.replace(/./g, (c, i: number) => `${c}: &${c} [${`*${'abcdefgh'[i] ?? ''},`.repeat(9)}]\n`)}`,
      'too large',
    ],
  ])('is refused: %s', async (_, text, problem) => {
    const error = await refusal({ [K]: `${text}\n` });
    expect([error.code, error.message]).toEqual(['RENDER_FAILED', expect.stringContaining(problem)]);
  });

  it('is followed where an alias or a merge key brings it', async () => {
    const { message } = await refusal({
      [K]: 'metadata: { annotations: { a: &a "git@x:y" } }\nresources: [ *a ]\n',
    });
    expect(message).toContain('the entry "git@x:y" is remote');
    const merged = await refusal({
      [K]: 'metadata: &m { annotations: {} }\n<<: { resources: [ "git@x:y" ] }\n',
    });
    expect(merged.message).toContain('the entry "git@x:y" is remote');
  });
});

describe('a failed run', () => {
  it
    .runIf(kubectl)
    .each(['literals: [ HUNTER2nokey ]', 'literals: [ "a=b", "=HUNTER2" ]', 'files: [ "=bad.env" ]'])(
    `does not say what a secret holds: %s${needsKubectl}`,
    async (source) => {
      const files = {
        [K]: `secretGenerator: [ { name: s, ${source} } ]\n`,
        [`${FOLDER}/bad.env`]: 'HUNTER2\n',
      };
      const error: unknown = await build(files).catch((failure: unknown) => failure);
      if (!isFailure(error)) throw new Error('It was rendered.');
      expect(error.code).toBe('RENDER_FAILED');
      expect(JSON.stringify([error.message, error.hint, error.details])).not.toMatch(/HUNTER/);
    },
  );
});

describe('limits', () => {
  it('refuse more files and more bytes than a service has', async () => {
    const names = Array.from({ length: 5001 }, (_, index) => `f${index}`);
    const many = Object.fromEntries(names.map((name) => [`${FOLDER}/${name}`, '']));
    const list = (all: string[]) => `configMapGenerator: [ { name: a, files: [ ${all.join(', ')} ] } ]\n`;
    const view = memoryTree({ [K]: list(names), ...many }).view;
    // The tree of this test is slow for many files: answer for them from one place, and once for their folders.
    const known = new Map<string, ReturnType<typeof view.entry>>();
    const entryOf = (path: string) => {
      const entry = known.get(path) ?? view.entry(path);
      known.set(path, entry);
      return entry;
    };
    const quick = {
      ...view,
      entry: async (path: string) => (path in many ? { name: path, mode: MODE.file, id: '' } : entryOf(path)),
    };
    await expect(kustomizationFiles(quick, FOLDER)).rejects.toThrow(/more than 5000 files/);
    const big = 'x'.repeat(7 * 1024 * 1024);
    const heavy = Object.fromEntries(names.slice(0, 10).map((name) => [`${FOLDER}/${name}`, big]));
    await expect(
      kustomizationFiles(memoryTree({ [K]: list(names.slice(0, 10)), ...heavy }).view, FOLDER),
    ).rejects.toThrow(/more than 64 MB/);
  });
});

describe('a service with a kustomization', () => {
  it('fails where no program can build it, with what to install, and nothing else renders it', async () => {
    const files = { [K]: 'resources: [ m.yaml ]\n', [`${FOLDER}/m.yaml`]: MAP };
    await expect(build(files, programsOf({ path: '/nowhere' }))).rejects.toMatchObject({
      code: 'RENDER_FAILED',
      message: `${K} needs Kustomize, but neither kustomize nor kubectl was found.`,
      hint: 'Install kustomize or kubectl where this runs (a worker too), so that PATH finds it.',
    });
  });

  it('is rendered without it where the kustomization only lists what the deployer decrypts', async () => {
    const files = {
      [K]: 'kind: Kustomization\nresources: [ s.enc.yaml, plain-name.yaml ]\n',
      [`${FOLDER}/s.enc.yaml`]: 'a: ENC[x]\nsops: {}\n',
      [`${FOLDER}/plain-name.yaml`]: `${MAP}sops: { mac: x }\n`,
      [`${FOLDER}/m.yaml`]: MAP,
    };
    expect((await build(files, programsOf({ path: '/nowhere' })))?.label).toBe('plain 1');
    const patched = { ...files, [K]: `${files[K]}namePrefix: a-\n` };
    await expect(build(patched, programsOf({ path: '/nowhere' }))).rejects.toThrow(/needs Kustomize/);
  });

  it.skipIf(!kubectl)(`is built, sorted and printed as other manifests are${needsKubectl}`, async () => {
    const rendered = await build({
      [K]: 'namePrefix: x-\nresources: [ m.yaml ]\nconfigMapGenerator: [ { name: gen, literals: [ "on=yes", "n=0644" ] } ]\n',
      [`${FOLDER}/m.yaml`]: `apiVersion: v1\nkind: Service\nmetadata: { name: s }\n---\n${MAP}`,
    });
    expect(rendered?.label).toMatch(/^kustomize \d+\.\d+\.\d+/);
    expect(rendered?.content).toMatch(/^# Generated by Backtrail from tenants\/acme/);
    expect(documentsOf(rendered?.content ?? '', '1.1')).toMatchObject([
      { kind: 'ConfigMap', data: { on: 'yes', n: '0644' } },
      { kind: 'ConfigMap', metadata: { name: 'x-m' } },
      { kind: 'Service', metadata: { name: 'x-s' } },
    ]);
  });

  it.skipIf(!kubectl).each([
    ['"{ password: hunter2"', 'unable to parse'],
    ['"[{ op: replace, path: /data/b/c, value: hunter2 }]"', 'unable to parse'],
    ['"kind: ConfigMap\\nmetadata: { name: other }\\ndata: { a: hunter2 }\\n"', ''],
    ['"kind: ConfigMap\\nmetadata: { name: m }\\ndata: { {hunter2}: hunter2 }\\n"', ''],
  ])(
    `says in one line why it cannot be built, and shows nothing of a patch: %s${needsKubectl}`,
    async (patch, problem) => {
      const files = {
        [K]: `resources: [ m.yaml ]\npatches: [ { patch: ${patch} } ]\n`,
        [`${FOLDER}/m.yaml`]: MAP,
      };
      const error = await build(files).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ code: 'RENDER_FAILED' });
      const { message } = error instanceof Error ? error : { message: '' };
      expect(message).toMatch(/^(?:kubectl kustomize|kustomize build) failed for tenants\/acme/);
      expect(message).toContain(problem);
      expect(message).not.toMatch(/hunter2|\n|backtrail-render/);
    },
  );

  it.skipIf(!kubectl)(`does not build a circle${needsKubectl}`, async () => {
    const other = 'tenants/acme/production/services/b/kustomization.yaml';
    await expect(build({ [K]: 'resources: [ ../b ]\n', [other]: 'resources: [ ../api ]\n' })).rejects.toThrow(
      /cycle/,
    );
  });
});
