import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODE, type TreeEntry, type TreeView } from '../../../engine/model/index.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { propose } from '../../../engine/init/proposal/propose.ts';
import { surveyTree } from '../../../engine/init/survey/survey.ts';
import { memoryTree } from '../../helpers/trees/memory-tree.ts';
import { runs } from '../../helpers/run/proof.ts';

/** `tenants` × `environments` × `services`, each service of three files: made when it is listed. Counts what is asked. */
function largeTree(counts: readonly [string, number][]): {
  view: TreeView;
  asked: { lists: number; reads: number };
} {
  const asked = { lists: 0, reads: 0 };
  const list = (path: string): TreeEntry[] => {
    const depth = path === '' ? 0 : path.split('/').length;
    const [name, count] = counts[depth] ?? ['', 0];
    const folders = Array.from({ length: count }, (_, index) => `${name}${index}`);
    const files = depth === counts.length ? ['kustomization.yaml', 'service.yaml', 'values.yaml'] : [];
    const entry = (mode: string) => (text: string) => ({ name: text, mode, id: '0'.repeat(40) }) as TreeEntry;
    return [...folders.map(entry(MODE.tree)), ...files.map(entry(MODE.file))];
  };
  const view: TreeView = {
    list: (path) => {
      asked.lists += 1;
      return Promise.resolve(list(path));
    },
    entry: (path) => {
      const cut = path.lastIndexOf('/');
      const found = list(cut < 0 ? '' : path.slice(0, cut)).find(({ name }) => name === path.slice(cut + 1));
      return Promise.resolve(found ?? null);
    },
    read: () => {
      asked.reads += 1;
      return Promise.resolve(new TextEncoder().encode('image: { tag: v1 }\n'));
    },
  };
  return { view, asked };
}

describe('a large tree', () => {
  it('is sampled: 2,000 tenants with 60 services each cost what a few tenants cost', async () => {
    const { view, asked } = largeTree([
      ['tenants', 1],
      ['tenant-', 2000],
      ['prod', 3],
      ['service-', 20],
    ]);
    const { chosen, text, findings } = await propose(view);
    expect(chosen).not.toBeNull();
    // The one folder at the top is called tenants0: it is no word, so that structure alone decides.
    expect(text).toContain('- "tenants0/{tenant}/{environment}/{service}/**"');
    expect(findings.map(({ code }) => code)).toContain('TREE_SAMPLED');
    // Of 128,000 folders; the layout that is proposed is tried on samples as well.
    expect(asked.lists).toBeLessThan(10_000);
    expect(asked.reads).toBeLessThan(600);
  });

  it('is not followed without end where folders hold folders', async () => {
    const { view, asked } = largeTree(Array.from({ length: 60 }, () => ['f', 30] as [string, number]));
    const survey = await surveyTree(view);
    expect(survey.complete).toBe(false);
    expect(asked.lists).toBeLessThanOrEqual(5000);
  });
});

const odd = fc.constantFrom(
  '__proto__',
  'constructor',
  '{environment}',
  '*',
  '**',
  'a#b',
  '-rf',
  '..',
  '"quoted"',
  'a: b',
  "it's",
  '# no',
  '\u001b[31mred',
  '\u202eevil',
  '\udcff',
  'ünï',
  'a b',
  'x'.repeat(250),
  '[a]',
  '!kustomization',
  '%41',
);
const plain = fc.constantFrom(
  'prod',
  'staging',
  'dev',
  'apps',
  'services',
  'tenants',
  'clusters',
  'api',
  'web',
  'base',
);
const name = fc.oneof({ weight: 3, arbitrary: plain }, odd, fc.string({ minLength: 1, maxLength: 6 }));
const file = fc
  .tuple(name, fc.constantFrom('.yaml', '.yml', '.json', ''))
  .map(([stem, ending]) => `${stem}${ending}`);
const path = fc
  .tuple(fc.array(name, { maxLength: 4 }), file)
  .map(([folders, last]) => [...folders, last].map((part) => part.replaceAll('/', '_') || '_').join('/'));
const text = fc.constantFrom(
  '',
  'image: { tag: v1 }\n',
  'releases:\n- { name: api, chart: a, version: 1 }\n- { name: "__proto__", chart: b, version: 2 }\n',
  'services:\n  __proto__: { image: x }\n  "a/b": { image: y }\n  api: { image: "z:1" }\n',
  'a: &a [x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c]\n',
  `${'['.repeat(3000)}${']'.repeat(3000)}`,
  '{{ template }}\n',
  'kind: Deployment\nmetadata: [no, map]\n',
  'a: 1\na: 2\n',
);

describe('a hostile tree', () => {
  it('gives a configuration that is valid, or a template, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(path, text), { maxLength: 30 }), async (entries) => {
        // A path that is a file is no folder as well.
        const tree = new Map<string, string>();
        for (const [place, content] of entries) {
          const taken = [...tree.keys()].some(
            (other) => other.startsWith(`${place}/`) || place.startsWith(`${other}/`),
          );
          if (!taken) tree.set(place, content);
        }
        const { text: config, chosen, found } = await propose(memoryTree(Object.fromEntries(tree)).view);
        const { layout } = parseConfig(config, 'proposal');
        expect(layout.environment.length + layout.service.length).toBeGreaterThan(0);
        expect(chosen ? found.length : 1).toBeGreaterThan(0);
        expect(config).not.toMatch(/[^\P{C}\n]/u);
      }),
      { numRuns: runs(200, 25) },
    );
  });
});
