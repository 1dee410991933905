import { describe, expect, it } from 'vitest';
import { backtrail, completedOf, refusalOf } from '../helpers/program/cli.ts';
import { createRepo, type Repo } from '../helpers/repositories/repo.ts';
import { cpuSeconds } from '../helpers/run/soon.ts';
import { someOf } from '../helpers/run/proof.ts';

const LAYOUT = 'layout: { service: [ "apps/{environment}/{service}/**" ] }\n';
const CONFIG = `version: 1\n${LAYOUT}`;
const SERVICE = 'production/web';
const FILE = 'apps/production/web/service.yaml';

async function repoOf(config: string, files: Readonly<Record<string, string>> = {}): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  await repo.replay([
    { files: { '.backtrail/config.yaml': CONFIG, [FILE]: 'image: v1\n', ...files } },
    { files: { '.backtrail/config.yaml': config, [FILE]: 'image: v2\n' } },
  ]);
  return repo;
}

/** Processor seconds that a command may take: what it reads is small, only what it means is large. */
const MOST = 30;

async function timed<T>(work: () => Promise<T>): Promise<T> {
  const started = cpuSeconds();
  const value = await work();
  expect(cpuSeconds() - started).toBeLessThan(MOST);
  return value;
}

const laughs = (levels: number) =>
  Array.from({ length: levels }, (_, n) =>
    n === 0
      ? `l0: &l0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n`
      : `l${n}: &l${n} [${Array(9)
          .fill(`*l${n - 1}`)
          .join(', ')}]\n`,
  ).join('');

describe('a configuration that is a bomb', () => {
  it.each<[title: string, config: string, code: string]>([
    [
      'aliases of aliases',
      `${CONFIG}keep: *l9\n`.replace('version', `${laughs(10)}version`),
      'CONFIG_INVALID',
    ],
    [
      'aliases where patterns stand',
      `version: 1\nlayout:\n  environment: &a ["x/{environment}/**"]\n  service: [${Array(100).fill('*a').join(',')}]\n`,
      'CONFIG_INVALID',
    ],
    [
      '10,000 patterns',
      `version: 1\nlayout:\n  service:\n${Array.from({ length: 10_000 }, (_, n) => `    - "a${n}/{environment}/{service}/**"\n`).join('')}`,
      'CONFIG_INVALID',
    ],
    [
      '10,000 patterns, each wrong',
      `version: 1\nlayout:\n  service:\n${'    - "../{x}"\n'.repeat(10_000)}`,
      'CONFIG_INVALID',
    ],
    [
      '5 MB of comments',
      `${CONFIG}${'# nothing to see here, and nothing there\n'.repeat(130_000)}`,
      'CONFIG_INVALID',
    ],
    [
      '5 MB of short names',
      `${CONFIG}fields:\n${Array.from({ length: 100_000 }, (_, n) => `  f${n}: "service.yaml#/a${n}/b/c"\n`).join('')}`,
      'CONFIG_INVALID',
    ],
    ['100,000 brackets', `version: 1\nlayout: ${'['.repeat(100_000)}\n`, 'CONFIG_INVALID'],
    [
      '100,000 closed brackets',
      `version: 1\nlayout: ${'['.repeat(100_000)}${']'.repeat(100_000)}\n`,
      'CONFIG_INVALID',
    ],
    ['__proto__', `${CONFIG}__proto__: { keep: [] }\n`, 'CONFIG_INVALID'],
    ['a tag that constructs', `version: 1\nlayout: !!js/function "function(){}"\n`, 'CONFIG_INVALID'],
  ])('%s: refused soon, in one sentence', async (_, config, code) => {
    const repo = await repoOf(config);
    const refusal = refusalOf(await timed(() => backtrail(repo, ['environments'])));
    expect(refusal).toMatchObject({ exit: 2, code });
    expect(refusal.message.length).toBeLessThan(500);
    const { stderr } = await backtrail(repo, ['-o', 'json', 'environments']);
    expect(stderr.length).toBeLessThan(50_000);
  });

  it.each<[title: string, more: string]>([
    ['an expression that backtracks on a subject', 'source: [ { subject: "(a+)+$", is: deploy } ]\n'],
    ['alternatives that overlap', 'source: [ { subject: "^(a|a|aa)*$", is: deploy } ]\n'],
    ['many expressions in a row', `source: [ { subject: "${'a*'.repeat(30)}$", is: deploy } ]\n`],
    ['a keep pattern of many stars', `keep: [ "${'*a'.repeat(40)}b" ]\n`],
    ['a keep pattern of nested groups', 'keep: [ "**/+(+(a|aa)|a)b" ]\n'],
    ['a keep pattern of many folders', `keep: [ "${'**/'.repeat(40)}x" ]\n`],
  ])('%s: does not hang the history', async (_, more) => {
    const repo = await repoOf(`${CONFIG}${more}`);
    const name = 'a'.repeat(200);
    const files = {
      [`apps/production/web/${name}`]: 'x\n',
      [`apps/production/web/${'a/'.repeat(60)}a`]: 'x\n',
    };
    await repo.replay([{ files, message: `${'a'.repeat(400)}!` }]);
    const transcript = await timed(() => backtrail(repo, ['history', SERVICE]));
    expect(transcript.code === 0 || refusalOf(transcript).code === 'CONFIG_INVALID').toBe(true);
  });

  it.each<[title: string, pattern: string]>([
    ['many stars in one name', `apps/${'*a'.repeat(40)}b/{environment}/{service}`],
    ['many folders', `${'**/'.repeat(30)}{environment}/{service}/x`],
    ['a placeholder again and again', `${'{environment}'.repeat(30)}/{service}`],
  ])('a layout pattern with %s: does not hang', async (_, pattern) => {
    const repo = await repoOf(
      `version: 1\nlayout: { service: [ "apps/{environment}/{service}/**", "${pattern}" ] }\n`,
    );
    await repo.replay([
      { files: { [`apps/${'a'.repeat(200)}/x/y`]: 'x\n', [`${'a/'.repeat(60)}a`]: 'x\n' } },
    ]);
    for (const args of [['environments'], ['history', SERVICE]]) {
      const transcript = await timed(() => backtrail(repo, args));
      expect(transcript.code === 0 || refusalOf(transcript).code === 'CONFIG_INVALID').toBe(true);
    }
  });
});

describe('a file of the scope that is a bomb', () => {
  const FILES: readonly (readonly [title: string, text: string])[] = [
    ['aliases of aliases', `image: v1\n${laughs(12)}`],
    ['an alias of itself', 'image: v1\na: &a [*a]\n'],
    ['5,000 closed brackets', `image: v1\na: ${'['.repeat(5000)}${']'.repeat(5000)}\n`],
    ['20,000 brackets', `image: v1\na: ${'['.repeat(20_000)}\n`],
    ['1,000 levels of indentation', Array.from({ length: 1000 }, (_, n) => `${' '.repeat(n)}a:\n`).join('')],
    ['500 documents', '---\nimage: v1\n'.repeat(500)],
    ['a line of a megabyte', `image: "${'x'.repeat(1_000_000)}"\n`],
    [
      '__proto__ as a key',
      'image: v1\n__proto__: { polluted: true }\nconstructor: { prototype: { polluted: true } }\n',
    ],
    ['a merge key of itself', 'image: v1\nb: &b { <<: *b }\n'],
    ['a float of a hundred thousand digits', `image: ${'9'.repeat(100_000)}\n`],
    ['colons and question marks', `image: v1\n${'? '.repeat(5000)}x\n`],
    ['null bytes', 'image: v1\n\0\0\0'],
  ];

  it.each(someOf(FILES, Math.ceil(FILES.length / 3)))(
    '%s: looked at, planned and restored as a whole, soon',
    async (_, text) => {
      const repo = await repoOf(CONFIG, { [FILE]: text });
      for (const args of [
        ['history', SERVICE],
        ['show', SERVICE, 'v1'],
        ['plan', SERVICE],
      ]) {
        const { code, stderr } = await timed(() => backtrail(repo, args));
        expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      }
      completedOf(
        await timed(() => backtrail(repo, ['rollback', SERVICE, '--yes', '--reason', 'x', '-o', 'json'])),
      );
      expect(await repo.git('rev-parse', `main:${FILE}`)).toBe(await repo.git('rev-parse', `main~2:${FILE}`));
      expect(Reflect.get({}, 'polluted')).toBeUndefined();
    },
  );

  it.each(someOf(FILES, Math.ceil(FILES.length / 3)))(
    '%s: a field of it is restored or refused with a reason, never wrong and never late',
    async (_, text) => {
      const repo = await repoOf(CONFIG, { [FILE]: text });
      const first = await repo.git('rev-parse', 'main~1');
      const args = [
        'rollback',
        SERVICE,
        '--field',
        'service.yaml#/image',
        '--to',
        first,
        '--yes',
        '--reason',
        'x',
      ];
      const transcript = await timed(() => backtrail(repo, args));
      expect([0, 2, 3]).toContain(transcript.code);
      expect(transcript.stderr).not.toMatch(/INTERNAL/);
      const now = await repo.git('show', `main:${FILE}`);
      expect([
        'image: v2',
        'image: v1',
        `image: "${'x'.repeat(1_000_000)}"`,
        `image: ${'9'.repeat(100_000)}`,
      ]).toContain(now);
    },
  );
});

describe('a kustomization that is a bomb', () => {
  it.each(
    someOf(
      [
        ['blank lines where a Secret is looked for', 'resources: [ blank.yaml ]\n'],
        ['a name without an end', `namePrefix: x-\nresources: [ "${'a'.repeat(200_000)}" ]\n`],
        ['brackets without an end', `namePrefix: x-\nresources: [ "${'['.repeat(200_000)}" ]\n`],
        ['addresses without an end', `namePrefix: x-\nresources: [ "${'://'.repeat(70_000)}" ]\n`],
      ],
      2,
    ),
  )('%s: judged soon', async (_, text) => {
    const folder = 'apps/production/web';
    const repo = await repoOf(`${CONFIG}delivery: { output: "out/{environment}/{service}.yaml" }\n`, {
      [`${folder}/kustomization.yaml`]: text,
      [`${folder}/blank.yaml`]: '\n'.repeat(200_000),
    });
    const { code, stdout } = await timed(() => backtrail(repo, ['plan', SERVICE]));
    expect([code, stdout.length < 50_000]).toEqual([
      expect.toSatisfy((exit) => exit === 0 || exit === 3),
      true,
    ]);
  });
});
