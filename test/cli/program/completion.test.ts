import { spawnSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { SCRIPTS, type Shell, SHELLS } from '../../../cli/completion/scripts.ts';
import { unquote } from '../../../cli/completion/words.ts';
import { backtrail, runProcess } from '../../helpers/program/cli.ts';
import { createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const CONFIG = 'version: 1\nlayout: { service: [ "apps/{tenant}/{environment}/{service}/**" ] }\n';
const HOSTILE = [
  '$(touch pwned)',
  '`touch pwned`',
  "it's; touch pwned",
  'a b',
  'quo"te',
  '* ~ {x,y}',
  '!! $HOME',
  'x:y=z',
];
const isThere = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;

let repo: Repo;
let bin: string;
beforeAll(async () => {
  repo = await createRepo();
  const services = [
    'acme/production/api',
    'acme/production/web',
    'acme/staging/api',
    'globex/production/api',
  ];
  const hostile = HOSTILE.map((name) => `evil/${name}/api`);
  const files = [...services, ...hostile].map((scope) => [`apps/${scope}/v.yaml`, 'a: 1\n']);
  await repo.replay([{ files: { '.backtrail/config.yaml': CONFIG, ...Object.fromEntries(files) } }]);
  bin = await temporaryFolder();
  const program = `#!/bin/sh\nprintf '%s\\0' "$@" > '${bin}/asked'\ncat '${bin}/answer'\n`;
  await writeFile(join(bin, 'backtrail'), program, { mode: 0o755 });
});

function run(shell: Shell, script: string, words: readonly string[] = [], folder = repo.folder): string {
  const { stdout, stderr, status } = spawnSync(shell, ['-c', script, shell, ...words], {
    cwd: folder,
    env: { ...repo.env, PATH: `${bin}:${process.env['PATH']}`, SCRIPT: SCRIPTS[shell], LC_ALL: 'C.UTF-8' },
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** The shell runs twice: what it asks the program the first time is answered here, in this process, and handed to it then. */
async function offered(...[shell, script, words, folder = repo.folder]: Parameters<typeof run>) {
  await writeFile(join(bin, 'answer'), '');
  run(shell, script, words, folder);
  const asked = (await readFile(join(bin, 'asked'), 'utf8')).split('\0').slice(0, -1);
  const { stdout, stderr, code } = await backtrail({ ...repo, folder }, asked);
  expect([code, stderr]).toEqual([0, '']);
  await writeFile(join(bin, 'answer'), stdout);
  return lines(run(shell, script, words, folder));
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

/** What bash's own function offers for these words, the last one being typed. */
const bash = (words: readonly string[], folder?: string) =>
  offered(
    'bash',
    `set -u; eval "$SCRIPT"; set +u
       COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "$(complete -p backtrail | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
       [ \${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`,
    ['backtrail', ...words],
    folder,
  );

describe.skipIf(!isThere('bash'))('completion in bash', () => {
  it('knows commands, those below them, options and their values', async () => {
    expect(await bash(['ro'])).toEqual(['rollback']);
    expect(await bash(['request', 're'])).toEqual(['retry', 'reject']);
    expect(await bash(['rollback', 'acme/production', '--re'])).toEqual([
      '--reason',
      '--request-id',
      '--repo',
    ]);
    expect(await bash(['-o', ''])).toEqual(['text', 'json', 'yaml']);
    expect(await bash(['completion', 'f'])).toEqual(['fish']);
    expect(await bash(['rollback', 'acme/production', '--to', 'p'])).toEqual(['previous']);
    expect(await bash([''])).not.toContain('complete');
  });

  it('knows the scopes of the repository that is meant', async () => {
    expect(await bash(['plan', 'acme/production'])).toEqual([
      'acme/production',
      'acme/production/api',
      'acme/production/web',
    ]);
    const elsewhere = await temporaryFolder();
    expect(await bash(['--repo', repo.folder, 'plan', 'glo'], elsewhere)).toHaveLength(2);
  });

  it('puts words together that readline takes apart at : and =', async () => {
    expect(await bash(['--output', '=', 'j'])).toEqual(['json']);
    expect(await bash(['--output', '='])).toEqual(['text', 'json', 'yaml']);
    expect(await bash(['plan', 'evil/x', ':', 'y', '=', 'z/a'])).toEqual(['z/api']);
  });

  it('quotes names of any kind so that bash reads them back as one word, and runs nothing in them', async () => {
    const words = await bash(['plan', 'evil/']);
    const read = words.map((word) => run('bash', `set -- ${word}; [ $# = 1 ] && printf %s "$1"`));
    expect(read.sort()).toEqual(HOSTILE.flatMap((name) => [`evil/${name}`, `evil/${name}/api`]).sort());
    expect(await readdir(repo.folder)).not.toContain('pwned');
  });

  it('runs nothing that is being typed', async () => {
    for (const word of ['$(touch pwned)', '`touch pwned`', '"$(touch pwned)', "'; touch pwned"])
      expect(await bash(['plan', word])).toEqual([]);
    expect(await readdir(repo.folder)).not.toContain('pwned');
  });

  it('offers within quotes what fits in them', async () => {
    expect(await bash(['plan', '"acme/st'])).toEqual(['acme/staging', 'acme/staging/api']);
    expect(await bash(['plan', "'evil/a b"])).toEqual([]);
    expect(await bash(['plan', 'evil/a\\ b/'])).toEqual(['evil/a\\ b/api']);
  });

  it('says nothing where there is no repository, no such command or no address that can be read', async () => {
    const empty = await temporaryFolder();
    expect(await bash(['plan', ''], empty)).toEqual([]);
    expect(await bash(['plan', '--repo', 'ssh://127.0.0.1:1/x', ''])).toEqual([]);
    expect(await bash(['nothing', 'of', ''])).toEqual([]);
    expect(await bash(['environments', ''])).toEqual([]);
  });
});

describe.skipIf(!isThere('fish'))('completion in fish', () => {
  const fish = (line: string) => offered('fish', 'echo $SCRIPT | source; complete -C $argv[-1]', [line]);

  it('knows commands, options, values and scopes', async () => {
    expect(await fish('backtrail ro')).toEqual([
      'rollback\trestore a scope to an earlier revision, as a new commit',
    ]);
    expect(await fish('backtrail plan acme/st')).toEqual(['acme/staging', 'acme/staging/api']);
    expect(await fish('backtrail -o j')).toEqual(['json']);
    expect(await fish("backtrail plan 'evil/a b")).toEqual(['evil/a b', 'evil/a b/api']);
  });

  it('runs nothing in names', async () => {
    expect(await fish('backtrail plan evil/')).toHaveLength(2 * HOSTILE.length);
    expect(await readdir(repo.folder)).not.toContain('pwned');
  });
});

describe.skipIf(!isThere('zsh'))('completion in zsh', () => {
  /** Outside of its line editor `compadd` refuses to run: what it is called with is what is looked at. */
  const zsh = (words: readonly string[]) =>
    offered(
      'zsh',
      `compdef() { :; }; compadd() { print -rl -- "\${(@P)@[-1]}"; }; _files() { print :files; }
         eval "$SCRIPT"; words=("$@"); CURRENT=$#; _backtrail; true`,
      ['backtrail', ...words],
    );

  it('knows commands, options, values and scopes, as they are', async () => {
    expect(await zsh(['ro'])).toEqual(['rollback']);
    expect(await zsh(['plan', 'acme/st'])).toEqual(['acme/staging', 'acme/staging/api']);
    expect(await zsh(['plan', "'evil/a b"])).toEqual(['evil/a b', 'evil/a b/api']);
    expect(await zsh(['plan', 'evil/'])).toHaveLength(2 * HOSTILE.length);
    expect(await zsh(['--config', ''])).toEqual([':files']);
    expect(await readdir(repo.folder)).not.toContain('pwned');
  });
});

describe('what the shells are told', () => {
  it('comes from the program itself', async () => {
    const found = await runProcess(repo, ['complete', 'bash', '--', 'plan', 'acme/st']);
    expect(found).toEqual({ code: 0, stdout: 'acme/staging\nacme/staging/api\n', stderr: '' });
  });

  it.each([...SHELLS])('is the script that `completion` prints for %s', async (shell) => {
    expect(await backtrail(repo, ['completion', shell])).toEqual({
      code: 0,
      stdout: SCRIPTS[shell],
      stderr: '',
    });
  });

  it.runIf(isProof)('is the next level alone where scopes are many', async () => {
    const large = await createRepo({ bare: true });
    const numbers = Array.from({ length: 120 }, (_, number) => String(number).padStart(3, '0'));
    const files = numbers.map((number) => [`apps/acme/e${number}/api/v.yaml`, 'a: 1\n']);
    await large.replay([{ files: { '.backtrail/config.yaml': CONFIG, ...Object.fromEntries(files) } }]);
    const words = async (typed: string) =>
      lines((await backtrail(large, ['complete', 'fish', '--', 'plan', typed])).stdout);
    expect(await words('')).toEqual(['acme/']);
    expect(await words('acme/e00')).toHaveLength(20);
  });

  it('keeps an address apart from the words behind it', async () => {
    const { stdout, code } = await backtrail(repo, [
      'complete',
      'zsh',
      '--',
      '--repo',
      '.',
      'history',
      'acme/s',
    ]);
    expect([code, lines(stdout)]).toEqual([0, ['acme/staging', 'acme/staging/api']]);
  });

  it('is read from a word as the shell would read it', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', ' ', "'", '"', '\\', '$x', '*', ';', 'é'),
      maxLength: 8,
    });
    fc.assert(
      fc.property(word, (text) => {
        const quoted = `'${text.replaceAll("'", String.raw`'\''`)}'`;
        const doubled = `"${text.replaceAll(/["\\$\u0060]/g, String.raw`\$&`)}"`;
        expect([unquote(quoted), unquote(doubled)]).toEqual([text, text]);
        expect(unquote(text.replaceAll(/[^a-zé]/g, String.raw`\$&`))).toBe(text);
      }),
    );
  });
});
