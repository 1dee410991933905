import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RENDERERS, renderServices } from '../../../engine/render/index.ts';
import { readInitialTree } from '../../../scripts/build-fixtures-repo.ts';
import { unitsOf } from '../../../scripts/fixtures/deliver.ts';
import { filesView, hasher } from '../../../scripts/fixtures/files.ts';
import { contentOf, documentsOf, FOLDER, inFolder, unitOf } from '../../helpers/trees/deliver.ts';

const MANIFEST = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: api }\n';

describe('rendering a set of services', () => {
  it('gives every output by path, and null for a service with nothing to deliver', async () => {
    const files = { ...inFolder({ 'm.yaml': MANIFEST }), 'x/notes.md': 'nothing' };
    const units = [
      unitOf(files),
      unitOf(files, { service: 'x', directory: 'x', output: 'delivery/x.yaml' }),
      unitOf(files, { service: 'gone', directory: 'gone', output: 'delivery/gone.yaml' }),
    ];
    const outputs = await renderServices(filesView(new Map(Object.entries(files))), units, { hasher });
    expect([...outputs].map(([path, rendered]) => [path, rendered?.renderer ?? null])).toEqual([
      ['delivery/acme/production/api.yaml', 'plain'],
      ['delivery/gone.yaml', null],
      ['delivery/x.yaml', null],
    ]);
  });

  it('refuses two services with one output', async () => {
    const files = inFolder({ 'm.yaml': MANIFEST });
    const view = filesView(new Map(Object.entries(files)));
    await expect(
      renderServices(view, [unitOf(files), unitOf(files, { service: 'b' })], { hasher }),
    ).rejects.toMatchObject({
      code: 'RENDER_FAILED',
      message: 'Two services would be written to delivery/acme/production/api.yaml.',
    });
  });

  it('says which renderers there are, in the order in which they are tried', () => {
    expect(RENDERERS).toEqual(['workload', 'kustomize', 'command', 'plain']);
  });

  it('lets no name of a folder end the comment at the top', async () => {
    const directory = `${FOLDER}\nkind: Evil`;
    const view = filesView(new Map([[`${directory}/m.yaml`, MANIFEST]]));
    const [rendered] = [...(await renderServices(view, [unitOf({}, { directory })], { hasher })).values()];
    expect(documentsOf(rendered?.content ?? '')).toMatchObject([{ kind: 'ConfigMap' }]);
    expect(rendered?.content).not.toMatch(/^kind: Evil/m);
  });

  it('reads a file of variables once, however many services share it', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `s${index}`);
    const services = names.map((name) => `  ${name}: { A: ${name}, B: "${'x'.repeat(200)}" }\n`).join('');
    const files = new Map([['v.yaml', `services:\n${services}`]]);
    for (const name of names) files.set(`s/${name}/m.yaml`, `${MANIFEST}data: { a: "\${A}" }\n`);
    const units = names.map((service) =>
      unitOf(
        {},
        { service, directory: `s/${service}`, variableFiles: ['v.yaml'], output: `o/${service}.yaml` },
      ),
    );
    const reads: string[] = [];
    const view = filesView(files);
    const counting = {
      ...view,
      read: async (path: string) => {
        reads.push(path);
        return view.read(path);
      },
    };
    const outputs = await renderServices(counting, units, { hasher });
    expect(outputs.get('o/s7.yaml')?.content).toContain('a: s7');
    expect(reads.filter((path) => path === 'v.yaml')).toHaveLength(1);
  });
});

describe('the outputs of the example repository', () => {
  it('are the ones checked in: a change of a renderer shows here, and needs a new version of it', async () => {
    const tree = readInitialTree();
    const outputs = await renderServices(filesView(tree), unitsOf(tree), { hasher });
    for (const [path, rendered] of outputs) expect([path, rendered?.content]).toEqual([path, tree.get(path)]);
    expect(outputs.size).toBe(16);
  });

  it('hold one object of each kind and name, and no value of a secret', async () => {
    const tree = readInitialTree();
    for (const [path, content] of tree) {
      if (!path.startsWith('delivery/')) continue;
      expect(content).not.toMatch(/ENC\[|kind: Secret/);
      expect(documentsOf(content, '1.1').length).toBeGreaterThan(0);
    }
  });
});

const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

describe('kubectl', () => {
  it.skipIf(!kubectl)(
    `reads the outputs${kubectl ? '' : ' (skipped: kubectl is not installed)'}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'backtrail-kustomize-'));
      try {
        const tree = readInitialTree();
        const outputs = [...tree].filter(([path]) => path.startsWith('delivery/acme/production/'));
        const tricky = ['on', '0644', 'a: b\n# c', ' x\n', '\ufeff', '😀', '---', '1e3', 'a\n\n', '\t', '"'];
        const data = tricky.map((value, index) => `k${index}: ${JSON.stringify(value)}`).join(', ');
        outputs.push(['tricky.yaml', await contentOf({ 'm.yaml': `${MANIFEST}data: { ${data} }\n` })]);
        for (const [path, content] of outputs) writeFileSync(join(folder, basename(path)), content);
        writeFileSync(
          join(folder, 'kustomization.yaml'),
          JSON.stringify({ resources: outputs.map(([path]) => basename(path)) }),
        );
        const built = documentsOf(execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8' }));
        // kubectl reads by the rules of YAML 1.1: `defaultMode: 0444` is octal.
        const expected = outputs.flatMap(([, content]) => documentsOf(content, '1.1'));
        expect(built).toHaveLength(expected.length);
        for (const document of expected) expect(built).toContainEqual(document);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
