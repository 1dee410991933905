import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** The rooms, from the ground up, and what each imports besides itself: nothing more, and nothing that is not needed. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  'engine/model': [],
  'engine/policy': ['engine/model'],
  'engine/record': ['engine/model', 'engine/policy'],
  'engine/yaml': ['engine/model'],
  'engine/git': ['engine/model', 'engine/record'],
  'engine/images': ['engine/model', 'engine/git'],
  'engine/hosts': ['engine/model'],
  'engine/layout': ['engine/model', 'engine/policy', 'engine/record', 'engine/yaml'],
  'engine/snapshot': ['engine/model', 'engine/yaml', 'engine/layout'],
  'engine/holds': ['engine/model', 'engine/record', 'engine/yaml', 'engine/layout', 'engine/snapshot'],
  'engine/plan': [
    'engine/model',
    'engine/policy',
    'engine/yaml',
    'engine/layout',
    'engine/snapshot',
    'engine/holds',
  ],
  'engine/history': [
    'engine/model',
    'engine/record',
    'engine/yaml',
    'engine/layout',
    'engine/snapshot',
    'engine/plan',
  ],
  'engine/render': [
    'engine/model',
    'engine/git',
    'engine/yaml',
    'engine/layout',
    'engine/snapshot',
    'engine/plan',
  ],
  'engine/rollback': [
    'engine/model',
    'engine/policy',
    'engine/record',
    'engine/git',
    'engine/yaml',
    'engine/layout',
    'engine/snapshot',
    'engine/holds',
    'engine/plan',
    'engine/history',
    'engine/render',
  ],
  'engine/doctor': [
    'engine/model',
    'engine/policy',
    'engine/git',
    'engine/yaml',
    'engine/layout',
    'engine/snapshot',
    'engine/history',
    'engine/render',
    'engine/record',
    'engine/rollback',
    'engine/requests',
    'engine/live',
  ],
  'engine/init': [
    'engine/model',
    'engine/git',
    'engine/yaml',
    'engine/layout',
    'engine/snapshot',
    'engine/rollback',
  ],
  'engine/queries': [
    'engine/model',
    'engine/record',
    'engine/yaml',
    'engine/git',
    'engine/layout',
    'engine/snapshot',
    'engine/holds',
    'engine/plan',
    'engine/history',
    'engine/rollback',
    'engine/init',
  ],
  'engine/requests': [
    'engine/model',
    'engine/policy',
    'engine/record',
    'engine/git',
    'engine/yaml',
    'engine/layout',
    'engine/snapshot',
    'engine/holds',
    'engine/rollback',
  ],
  'engine/deployments': [
    'engine/model',
    'engine/policy',
    'engine/record',
    'engine/git',
    'engine/yaml',
    'engine/layout',
    'engine/snapshot',
    'engine/plan',
    'engine/history',
    'engine/rollback',
    'engine/requests',
  ],
  'engine/audit': [
    'engine/model',
    'engine/policy',
    'engine/record',
    'engine/git',
    'engine/yaml',
    'engine/layout',
    'engine/snapshot',
    'engine/holds',
    'engine/plan',
    'engine/history',
    'engine/render',
    'engine/rollback',
    'engine/requests',
  ],
  'engine/live': [
    'engine/model',
    'engine/policy',
    'engine/record',
    'engine/git',
    'engine/yaml',
    'engine/hosts',
    'engine/layout',
    'engine/snapshot',
    'engine/holds',
    'engine/plan',
    'engine/history',
    'engine/rollback',
    'engine/queries',
    'engine/requests',
    'engine/deployments',
  ],
  engine: [
    'engine/model',
    'engine/policy',
    'engine/record',
    'engine/git',
    'engine/images',
    'engine/hosts',
    'engine/layout',
    'engine/snapshot',
    'engine/holds',
    'engine/plan',
    'engine/history',
    'engine/render',
    'engine/rollback',
    'engine/doctor',
    'engine/init',
    'engine/queries',
    'engine/requests',
    'engine/deployments',
    'engine/audit',
    'engine/live',
  ],
  // Of the engine itself: incidents, which are planned by it and followed in the queue.
  workers: ['engine', 'engine/model'],
  // Codes and statuses alone are read without the engine behind them.
  cli: ['engine', 'engine/model', 'workers', 'server', 'mcp'],
  // The lock of files, and positions in YAML.
  server: ['engine', 'engine/model', 'engine/git', 'engine/layout', 'workers', 'server/graphql', 'mcp'],
  // A face: it translates to what the server's own calls do, and knows no other face.
  'server/graphql': ['engine', 'server'],
  // A face in the browser: types of what the server answers, and nothing that runs.
  console: ['server'],
  // Tools of an assistant: it decides nothing, and starts nothing.
  mcp: ['engine'],
};

/** They compute: no platform, no clock, no randomness. */
const PURE = [
  'engine/model',
  'engine/yaml',
  'engine/record',
  'engine/policy',
  'engine/layout',
  'engine/snapshot',
  'engine/history',
  'engine/holds',
  'engine/plan',
  'engine/render',
  'engine/init/survey',
  'engine/init/candidates',
  'engine/init/proposal',
];
const IMPURE = ['engine/render/programs', 'engine/render/planned'];

interface Source {
  readonly path: string;
  readonly layer: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function sources(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => {
      const path = join(folder, name).split(sep).join('/');
      const text = readFileSync(join(ROOT, path), 'utf8');
      const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
        (match) => match[1] ?? '',
      );
      return { path, layer: layerOf(path), text, imports };
    });
}

function layerOf(path: string): string {
  const [top = '', next = ''] = path.split('/');
  if (Object.hasOwn(LAYERS, `${top}/${next}`)) return `${top}/${next}`;
  return top === 'engine' && !next.endsWith('.ts') ? `${top}/${next}` : top;
}

const all = ['engine', 'workers', 'cli', 'server', 'console', 'mcp'].flatMap(sources);
const edges = all.flatMap(({ path, imports }) =>
  imports
    .filter((name) => name.startsWith('.'))
    .map((name): [string, string] => [
      path,
      relative(ROOT, resolve(ROOT, dirname(path), name))
        .split(sep)
        .join('/'),
    ]),
);
/** Files of one folder. */
const MOST_SIBLINGS = 18;

const code = ({ text }: Source) => text.replace(/\/\*[^]*?\*\/|(?<=\s)\/\/.*$/gm, '');
const offenders = (test: (source: Source) => boolean) => all.filter(test).map(({ path }) => path);

/** What is left of a graph when everything that nobody waits for is taken away, again and again: its circles, and what lies between. */
function circles(graph: readonly (readonly [string, string])[]): string[] {
  let rest = graph;
  for (;;) {
    const [from, to] = [new Set(rest.map(([one]) => one)), new Set(rest.map(([, other]) => other))];
    const kept = rest.filter(([one, other]) => to.has(one) && from.has(other));
    if (kept.length === rest.length) return [...new Set(rest.map(([one]) => one))];
    rest = kept;
  }
}

describe('architecture', () => {
  it('finds the sources that it judges', () => {
    expect(all.length).toBeGreaterThan(60);
    expect(new Set(all.map(({ layer }) => layer))).toEqual(new Set(Object.keys(LAYERS)));
  });

  it('has no imports between rooms but those that are allowed', () => {
    const unexpected = edges
      .filter(([from, to]) => layerOf(from) !== layerOf(to) && !LAYERS[layerOf(from)]?.includes(layerOf(to)))
      .map(([from, to]) => `${from} imports ${to}`);
    expect(unexpected).toEqual([]);
  });

  it('allows no import between rooms that nobody makes', () => {
    const made = new Set(edges.map(([from, to]) => `${layerOf(from)} → ${layerOf(to)}`));
    const allowed = Object.entries(LAYERS).flatMap(([from, rooms]) => rooms.map((to) => `${from} → ${to}`));
    expect(allowed.filter((edge) => !made.has(edge))).toEqual([]);
  });

  it('gives the console types of the contract only', () => {
    const crossing = edges.filter(([from, to]) => layerOf(from) === 'console' && layerOf(to) !== 'console');
    const contract = ['server/schemas/', 'server/incidents/schemas.ts', 'server/live/schemas.ts'];
    expect([...new Set(crossing.map(([from]) => from))]).toEqual(['console/contract.ts']);
    expect(crossing.filter(([, to]) => !contract.some((folder) => to.startsWith(folder)))).toEqual([]);
    const contractText = readFileSync(join(ROOT, 'console/contract.ts'), 'utf8');
    expect(contractText.match(/^(?:import|export)\b(?! type\b| interface\b).*$/gm)).toBeNull();
  });

  it('has no circle of imports, types included', () => {
    expect(circles(edges)).toEqual([]);
  });

  it('has folders that a reader can take in', () => {
    const siblings = new Map<string, number>();
    for (const { path } of all) siblings.set(dirname(path), (siblings.get(dirname(path)) ?? 0) + 1);
    expect([...siblings].filter(([, files]) => files > MOST_SIBLINGS)).toEqual([]);
  });

  it('keeps modules of the platform, clocks, randomness and globals out of the pure folders', () => {
    const pure = ({ path }: Source) => {
      const isIn = (folders: readonly string[]) => folders.some((folder) => path.startsWith(`${folder}/`));
      return isIn(PURE) && !isIn(IMPURE);
    };
    expect(
      offenders((source) => pure(source) && source.imports.some((name) => name.startsWith('node:'))),
    ).toEqual([]);
    const impure =
      /\bDate\.now\b|new Date\(\)|\bMath\.random\b|\bprocess\.[a-z]|\bBuffer\b|\bsetTimeout\b|\bperformance\./;
    expect(offenders((source) => pure(source) && impure.test(code(source)))).toEqual([]);
  });

  it('has one door to each outside thing', () => {
    const imports = (module: string) =>
      offenders((source) => source.imports.some((name) => name === module || name === `node:${module}`));
    expect(imports('child_process')).toEqual(['engine/git/process/spawn.ts', 'cli/terminal/pager.ts']);
    expect(imports('simple-git')).toEqual(['engine/git/remote/maintenance.ts']);
    expect(imports('bullmq').filter((path) => !path.startsWith('workers/'))).toEqual([]);
    expect(imports('ioredis').filter((path) => !path.startsWith('workers/'))).toEqual([]);
    expect(imports('isomorphic-git').filter((path) => !path.startsWith('engine/git/reader/'))).toEqual([]);
    expect(offenders((source) => /\bprocess\.env\b|\{ env \} = process/.test(code(source)))).toEqual([
      // What an engine is opened with where whoever opens it says nothing.
      'engine/defaults.ts',
      'cli/environment.ts',
      // Where compiled code is kept, before anything else is loaded.
      'cli/main.ts',
    ]);
  });

  it('loads isomorphic-git only where there is no git', () => {
    expect(offenders(({ text }) => /^import (?!type )[^;]*'isomorphic-git'/m.test(text))).toEqual([]);
  });

  it('loads simple-git only where a mirror is made or maintained, and allows it nothing unsafe', () => {
    expect(offenders(({ text }) => /^import (?!type )[^;]*'simple-git'/m.test(text))).toEqual([]);
    expect(offenders((source) => /allowUnsafe\w/.test(code(source)))).toEqual([]);
  });

  it('prints nothing from the engine', () => {
    expect(
      offenders(
        (source) =>
          source.path.startsWith('engine/') && /\bconsole\.|process\.(stdout|stderr)/.test(code(source)),
      ),
    ).toEqual([]);
  });
});
