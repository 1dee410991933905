import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fits, page, type Pager, pagerOf } from '../../../cli/terminal/pager.ts';
import { runProcess } from '../../helpers/program/cli.ts';
import { createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { hasScript, onTerminal } from '../../helpers/program/terminal.ts';
import { isProof } from '../../helpers/run/proof.ts';

const CONFIG = `version: 1
layout: { environment: [ "envs/{environment}/**" ], service: [ "envs/{environment}/{service}/**" ] }
`;
const SIZE = { columns: 80, rows: 24 };

let repo: Repo;
let folder: string;
/** Writes what it is given into `seen`. */
let pager: string;
beforeAll(async () => {
  repo = await createRepo();
  for (const turn of [1, 2])
    await repo.commit({
      '.backtrail/config.yaml': CONFIG,
      'envs/prod/api/values.yaml': [...Array(40).keys()].map((i) => `key${i}: ${i + turn}\n`).join(''),
    });
  folder = await temporaryFolder();
  pager = join(folder, 'pager');
  await writeFile(pager, `#!/bin/sh\ncat > '${folder}/seen'; echo paged\n`);
  await chmod(pager, 0o755);
});
beforeEach(() => rm(join(folder, 'seen'), { force: true }));
const seen = () => readFile(join(folder, 'seen'), 'utf8');
const wasPaged = () =>
  stat(join(folder, 'seen')).then(
    () => true,
    () => false,
  );

describe('the pager', () => {
  it('is named by BACKTRAIL_PAGER, then by PAGER, and is less otherwise', () => {
    const named = (env: Record<string, string>) => pagerOf(env, SIZE)?.command;
    expect(named({ BACKTRAIL_PAGER: 'most', PAGER: 'more' })).toBe('most');
    expect(named({ PAGER: 'more' })).toBe('more');
    expect(named({ GIT_PAGER: 'other' })).toBe('less -FRX');
    expect(pagerOf({}, SIZE)?.env).toMatchObject({ LESS: 'FRX' });
    expect(pagerOf({ LESS: 'S' }, SIZE)?.env).toMatchObject({ LESS: 'S' });
  });

  it.each([
    [{ BACKTRAIL_PAGER: '' }, SIZE],
    [{ PAGER: 'cat' }, SIZE],
    [{}, {}],
    [{}, { columns: 0, rows: 0 }],
  ])('is none for %j on %j', (env, size) => {
    expect(pagerOf(env, size)).toBeNull();
  });

  it('is for what does not fit, lines that the terminal breaks counted as it shows them', () => {
    const ten: Pager = { command: 'x', columns: 20, rows: 10, env: {} };
    expect(fits('a\n'.repeat(8), ten)).toBe(true);
    expect(fits('a\n'.repeat(12), ten)).toBe(false);
    expect(fits(`${'a'.repeat(300)}\n`, ten)).toBe(false);
  });

  it('that is not there shows nothing, and says nothing', async () => {
    const env = { PATH: folder };
    for (const command of ['no-such-pager -x', '/no/such/pager', 'X=1 exit 127'])
      expect(await page('text\n', { command, ...SIZE, env })).toBe(false);
  });

  it('that ends early is no error', async () => {
    const env = { PATH: process.env['PATH'] };
    expect(await page('line\n'.repeat(200_000), { command: 'true', ...SIZE, env })).toBe(true);
    expect(await page('line\n'.repeat(200_000), { command: 'sh -c "exit 3"', ...SIZE, env })).toBe(true);
  });

  it('is not started without a terminal', async () => {
    const { code, stdout } = await runProcess(repo, ['plan', 'prod/api'], {
      env: { BACKTRAIL_PAGER: pager },
    });
    expect(code).toBe(0);
    expect(stdout).toContain('key39');
    expect(await wasPaged()).toBe(false);
  });
});

describe.runIf(hasScript)('on a terminal', () => {
  it.each([
    ['JSON', ['plan', 'prod/api', '-o', 'json'], 10],
    ['what fits', ['environments'], 10],
    ['--no-pager', ['--no-pager', 'plan', 'prod/api'], 10],
  ])('%s does without', async (_what, args, rows) => {
    const { code } = await onTerminal(repo, args, [], { env: { BACKTRAIL_PAGER: pager }, rows });
    expect(code).toBe(0);
    expect(await wasPaged()).toBe(false);
  });

  it('a long plan is shown in the pager, in colour and whole', async () => {
    const shown = await onTerminal(repo, ['plan', 'prod/api'], [], {
      env: { BACKTRAIL_PAGER: pager, PAGER: 'false' },
      rows: 10,
    });
    expect(shown.code).toBe(0);
    expect(shown.seen.trim()).toBe('paged');
    const text = await seen();
    expect(text).toContain('key39');
    expect(text).toContain('\u001b[');
  });

  it('a pager that is missing, or that the repository names, changes nothing', async () => {
    await repo.git('config', 'core.pager', `touch '${folder}/owned'; cat`);
    const shown = await onTerminal(repo, ['plan', 'prod/api'], [], { env: { PAGER: 'no-such' }, rows: 10 });
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.seen).toContain('key39');
    expect(shown.seen).not.toContain('no-such');
    await expect(stat(join(folder, 'owned'))).rejects.toThrow('ENOENT');
  });

  it.runIf(isProof)('the exit code of a command stays its own', async () => {
    const shown = await onTerminal(repo, ['history', 'prod/api'], [], {
      env: { BACKTRAIL_PAGER: `${pager}; exit 9` },
      rows: 2,
    });
    expect(shown.code).toBe(0);
    expect(shown.seen).toContain('paged');
  });
});
