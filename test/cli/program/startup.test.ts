/** What a command loads, and how many processes of git it starts: by these a start is fast on every machine. */
import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readEnvironment } from '../../../cli/environment.ts';
import { readUsage } from '../../../cli/start/program.ts';
import { COMMANDS } from '../../../cli/start/registry.ts';
import { type BuiltCli, builtCli } from '../../helpers/program/built-cli.ts';
import { backtrail, exampleRepo } from '../../helpers/program/cli.ts';
import { type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const GATEWAY = 'acme/production/api-gateway';

let cli: BuiltCli;
let example: Repo;
beforeAll(async () => {
  [cli, example] = await Promise.all([builtCli(), exampleRepo()]);
});

/** `bullmq`, of `node_modules/bullmq/dist/…`. */
const packagesOf = (sources: readonly string[]) => [
  ...new Set(sources.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])),
];

describe('what can be said without a command', () => {
  it.each(
    someOf<[number, string[]]>(
      [
        [0, ['--version']],
        [0, ['--help']],
        [0, []],
        [0, ['help', 'plan']],
        [0, ['rollback', '--help']],
        [0, ['request', 'approve', '--help']],
        [2, ['histroy']],
        [2, ['history']],
        [2, ['plan', GATEWAY, '--bogus']],
        [2, ['history', GATEWAY, '--limit', 'x']],
        [2, ['request', 'list', '--status', 'x']],
        [2, ['-o', 'json', 'request', 'nothing']],
      ],
      5,
    ),
  )('ends with %i and loads nothing but the reader of command lines: %j', async (exit, args) => {
    const { code, output, sources } = await cli.loadedBy(example, args);
    expect([code, output]).toEqual([args.length === 0 ? 2 : exit, expect.stringMatching(/\S/)]);
    expect(packagesOf(sources)).toEqual(['commander']);
    const more = sources.filter(
      (path) =>
        /^(?:engine|workers|cli\/(?:commands|print))\//.test(path) && !path.startsWith('engine/model/'),
    );
    expect(more).toEqual([]);
  });
});

describe.each(
  someOf(
    [
      ['environments', ['environments']],
      ['history', ['history', GATEWAY]],
      ['plan', ['plan', GATEWAY]],
    ] as [string, string[]][],
    1,
  ),
)('%s', (_, args) => {
  it('runs no queue, no log, no second reader, no transport, no questions and no proposals', async () => {
    const { code, sources } = await cli.loadedBy(example, args);
    expect(code).toBe(0);
    const packages = packagesOf(sources);
    const seldom = [
      'undici',
      'bullmq',
      'ioredis',
      'pino',
      'isomorphic-git',
      'simple-git',
      '@clack/prompts',
      '@clack/core',
    ];
    expect(packages.filter((name) => seldom.includes(name))).toEqual([]);
    expect(packages).toContain('yaml');
    expect(
      sources.filter((path) =>
        /^(?:workers\/|node_modules\/zod\/v4\/locales\/(?!en\.)|cli\/commands\/init\/|engine\/init\/(?:init\.|survey\/|proposal\/check)|engine\/git\/reader\/)/.test(
          path,
        ),
      ),
    ).toEqual([]);
  });
});

describe('what V8 compiled of the commands', () => {
  /** The files that are kept, that of the commands before that of the reader of command lines; and a run that finds them. */
  async function kept() {
    const folder = await temporaryFolder();
    const env = { ...example.env, XDG_CACHE_HOME: folder };
    const run = async (more: Readonly<Record<string, string>> = {}) => {
      const { code, output } = await cli.loadedBy({ folder: example.folder, env: { ...env, ...more } }, [
        'history',
        GATEWAY,
      ]);
      return { code, output };
    };
    const compiled = join(folder, 'backtrail/compiled');
    return {
      run,
      files: async () => {
        const names = await readdir(compiled).catch(() => []);
        return names.toSorted((a, b) => (a < b ? -1 : 1)).map((name) => join(compiled, name));
      },
    };
  }

  let shared: Awaited<ReturnType<typeof kept>>;
  let first: Awaited<ReturnType<typeof shared.run>>;
  beforeAll(async () => {
    shared = await kept();
    first = await shared.run();
  });

  it('is kept, is used, and changes nothing', async () => {
    const { run, files } = shared;
    expect(first).toMatchObject({ code: 0, output: expect.stringMatching(/\S/) });
    const [file = '', ...others] = await files();
    expect([basename(file), others.map((other) => basename(other))]).toEqual([
      expect.stringMatching(/^commands-\w+\.cjs-v.*-history$/),
      [expect.stringMatching(/^reader-\w+\.cjs-v.*-history$/)],
    ]);
    const states = () => files().then((all) => Promise.all(all.map((kept) => stat(kept))));
    const before = await states();
    expect(before.map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o600]);
    expect(await run()).toEqual(first);
    // What V8 refuses is written anew, as another file.
    expect((await states()).map(({ ino }) => ino)).toEqual(before.map(({ ino }) => ino));
  });

  it.each(
    someOf<[string, (file: string, content: Buffer) => Promise<void>]>(
      [
        ['is cut off', (file, content) => writeFile(file, content.subarray(0, content.length / 2))],
        ['is empty', (file) => writeFile(file, '')],
        ['is not as it was written', (file, content) => writeFile(file, content.fill(0xff, 5000, 9000))],
        [
          'is not of this V8',
          (file, content) => writeFile(file, signed(content.subarray(32).fill(0, 0, 16))),
        ],
        ['others may write', (file) => chmod(file, 0o666)],
      ],
      1,
    ),
  )('is replaced where it %s', async (_, spoil) => {
    const { run, files } = shared;
    const all = await files();
    const [file = ''] = all;
    await spoil(file, await readFile(file));
    const { ino } = await stat(file);
    expect(await run()).toEqual(first);
    expect((await stat(file)).ino).not.toBe(ino);
    expect(await files()).toEqual(all);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it.runIf(isProof)('does not stay where the code has changed', async () => {
    const { run, files } = await kept();
    await run();
    const all = await files();
    const [file = ''] = all;
    const old = join(dirname(file), 'commands-OLD.cjs-v20.19.0-x64-plan');
    await rename(file, old);
    await run();
    expect(await files()).toEqual(all);
  });

  it.runIf(isProof)('is not kept where Node is told not to, or nothing can be written', async () => {
    const { run, files } = await kept();
    const first = await run({ NODE_DISABLE_COMPILE_CACHE: '1' });
    expect([first.code, await files()]).toEqual([0, []]);
    expect(await run({ XDG_CACHE_HOME: '/dev/null' })).toEqual(first);
  });

  const signed = (data: Buffer) => Buffer.concat([createHash('sha256').update(data).digest(), data]);
});

describe('the table of commands', () => {
  const named = Object.keys(COMMANDS).map((name) => [name]);

  it.each(
    someOf<[string[]]>(
      [[], ...named, ['request', 'list'], ['break-glass', 'open']].map((words) => [words]),
      2,
    ),
  )('says what the commands say themselves: %j', async (words) => {
    const built = await cli.loadedBy(example, [...words, '--help']);
    const { stdout } = await backtrail(example, [...words, '--help']);
    expect(built.output).toBe(stdout);
  });

  it('has each command under its own name, and nothing is lost of what it says', async () => {
    const { commandsScript, readerScript, ...usage } = JSON.parse(
      await readFile(join(cli.main, '../usage.json'), 'utf8'),
    );
    const files = await readdir(dirname(cli.main));
    expect(files).toEqual(
      expect.arrayContaining([commandsScript, readerScript].map((file: string) => basename(file))),
    );
    expect(usage.commands.map(({ name }: { name: string }) => [name])).toEqual(named);
    expect(usage).toStrictEqual(await readUsage(readEnvironment()));
  });
});

describe('processes of git', () => {
  /** A `git` before the real one that writes down what it is asked. */
  async function counting(repo: Repo): Promise<{ env: Repo['env']; asked: () => Promise<string[]> }> {
    const folder = await temporaryFolder();
    const [script, list] = [join(folder, 'git'), join(folder, 'list')];
    const path = repo.env['PATH'] ?? '';
    await writeFile(script, `#!/bin/sh\necho "$*" >> '${list}'\nPATH='${path}' exec git "$@"\n`);
    await chmod(script, 0o755);
    return {
      env: { ...repo.env, PATH: `${folder}:${path}` },
      asked: async () => (await readFile(list, 'utf8')).trimEnd().split('\n'),
    };
  }

  /*
   * What each is for. All: rev-parse finds the repository, config lists what its configuration says (and what it must not run), cat-file
   * reads refs and objects. History and plan: a log of the scope's paths, a log of the rollbacks in messages, and rev-list, the order of
   * the line. Requests: for-each-ref proves where the ledger is. Rollback, besides those of a plan: fast-import twice, because the
   * manifests' commit names the one before it; for-each-ref, what earlier attempts staged; a log that reads both commits back; config
   * once more, right before files are checked out; rev-parse, where HEAD is then; merge, the branch and its files; update-ref, which
   * deletes what was staged.
   */
  it.each([
    [3, ['environments']],
    [6, ['history', GATEWAY]],
    [6, ['plan', GATEWAY]],
    [4, ['request', 'list']],
    [14, ['rollback', GATEWAY, '--reason', 'x', '--yes']],
  ])('are no more than %i in a worktree: %j', async (most, args) => {
    const repo = await exampleRepo();
    const { env, asked } = await counting(repo);
    expect(await backtrail({ folder: repo.folder, env }, args)).toMatchObject({ code: 0 });
    const gits = await asked();
    // The list itself, so that a failure shows it.
    expect(gits).toEqual(gits.slice(0, most));
    expect(gits.length).toBeGreaterThan(2);
  });

  it('are none where no repository is needed', async () => {
    const { env, asked } = await counting(example);
    await backtrail({ folder: example.folder, env }, ['plan', '--help']);
    await expect(asked()).rejects.toThrow('ENOENT');
  });
});
