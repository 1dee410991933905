import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** What each folder may import, besides itself. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  'engine/model': [],
  'engine/yaml': ['engine/model'],
  'engine/record': ['engine/model'],
  'engine/request': ['engine/model'],
  'engine/plan': ['engine/model', 'engine/yaml', 'engine/record', 'engine/request'],
  'engine/propose': ['engine/model', 'engine/yaml', 'engine/plan'],
  'engine/git': ['engine/model', 'engine/yaml', 'engine/record', 'engine/request', 'engine/plan'],
  'engine/deliver': ['engine/model', 'engine/yaml', 'engine/record', 'engine/plan'],
  'engine/programs': ['engine/model', 'engine/git'],
  'engine/steps': [
    'engine/model',
    'engine/yaml',
    'engine/record',
    'engine/request',
    'engine/plan',
    'engine/propose',
    'engine/git',
    'engine/deliver',
  ],
  engine: [
    'engine/model',
    'engine/plan',
    'engine/record',
    'engine/request',
    'engine/git',
    'engine/programs',
    'engine/steps',
  ],
  workers: ['engine', 'engine/model'],
  cli: ['engine', 'workers'],
};
const PURE = [
  'engine/model',
  'engine/yaml',
  'engine/record',
  'engine/request',
  'engine/plan',
  'engine/propose',
  'engine/deliver',
];

interface Source {
  readonly path: string;
  readonly layer: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function sources(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
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
  return top === 'engine' && !next.endsWith('.ts') ? `${top}/${next}` : top;
}

const all = ['engine', 'workers', 'cli'].flatMap(sources);
const code = ({ text }: Source) => text.replace(/\/\*[^]*?\*\/|(?<=\s)\/\/.*$/gm, '');
const offenders = (test: (source: Source) => boolean) => all.filter(test).map(({ path }) => path);

describe('architecture', () => {
  it('finds the sources that it judges', () => {
    expect(all.length).toBeGreaterThan(60);
    expect(new Set(all.map(({ layer }) => layer))).toEqual(new Set(Object.keys(LAYERS)));
  });

  it('has no import against the order of the layers', () => {
    const upward = all.flatMap(({ path, layer, imports }) =>
      imports
        .filter((name) => name.startsWith('.'))
        .map((name) =>
          relative(ROOT, resolve(ROOT, dirname(path), name))
            .split(sep)
            .join('/'),
        )
        .filter((target) => layerOf(target) !== layer && !LAYERS[layer]?.includes(layerOf(target)))
        .map((target) => `${path} imports ${target}`),
    );
    expect(upward).toEqual([]);
  });

  it('keeps modules of the platform, clocks, randomness and globals out of the pure folders', () => {
    const pure = (source: Source) => PURE.includes(source.layer);
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
    expect(imports('child_process')).toEqual(['engine/git/process/spawn.ts', 'cli/pager.ts']);
    expect(imports('bullmq').filter((path) => !path.startsWith('workers/'))).toEqual([]);
    expect(imports('ioredis').filter((path) => !path.startsWith('workers/'))).toEqual([]);
    expect(imports('isomorphic-git').filter((path) => !path.startsWith('engine/git/isomorphic/'))).toEqual(
      [],
    );
    expect(offenders((source) => /\bprocess\.env\b|\{ env \} = process/.test(code(source)))).toEqual([
      // What an engine is opened with where whoever opens it says nothing.
      'engine/defaults.ts',
      'cli/environment.ts',
    ]);
  });

  it('loads isomorphic-git only where there is no git', () => {
    expect(offenders(({ text }) => /^import (?!type )[^;]*'isomorphic-git'/m.test(text))).toEqual([]);
  });

  it('prints nothing from the engine', () => {
    expect(
      offenders(
        (source) =>
          source.path.startsWith('engine/') && /\bconsole\.|process\.(stdout|stderr)/.test(code(source)),
      ),
    ).toEqual([]);
  });

  it('names only paths that exist in ARCHITECTURE.md', () => {
    const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
    const named = [...text.matchAll(/`((?:engine|workers|cli|scripts|test|fixtures-repo)\/[\w./-]*)`/g)].map(
      (match) => match[1] ?? '',
    );
    const exists = (path: string) =>
      readdirSync(join(ROOT, dirname(path))).includes(path.replace(/\/$/, '').split('/').at(-1) ?? '');
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => !exists(path))).toEqual([]);
  });
});
