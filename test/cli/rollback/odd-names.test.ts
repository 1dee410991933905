import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { encodePath } from '../../../engine/model/index.ts';
import { backtrail, completedOf, jsonOf } from '../../helpers/program/cli.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';

const FOLDER = 'apps/production/web';
const NAMES = ['caf\udce9.yaml', 'new\nline', '\u001b[2J', '\u202egnp', 'pl ain', '#no comment', '- x'];

let repo: Repo;
beforeAll(async () => {
  repo = await createRepo({ bare: true });
  const files = (text: string) => Object.fromEntries(NAMES.map((name) => [`${FOLDER}/${name}`, text]));
  const config = 'version: 1\nlayout: { service: [ "apps/{environment}/{service}/**" ] }\n';
  await repo.replay([
    { files: { '.backtrail/config.yaml': config, ...files('a: 1\n'), [`apps/production/\udcff/x`]: '1' } },
    { files: files('a: 2\n') },
  ]);
});

const shape = z.object({
  changes: z.array(z.object({ files: z.array(z.object({ path: z.string() })) })),
});
const pathsOf = (value: unknown) =>
  shape
    .parse(value)
    .changes.flatMap(({ files }) => files.map(({ path }) => path))
    .sort();
const bytes = (paths: readonly string[]) =>
  paths.map((path) => Buffer.from(encodePath(path)).toString('hex'));

describe('names that no line of text can hold', () => {
  it.each([
    ['json', (text: string): unknown => JSON.parse(text)],
    ['yaml', (text: string): unknown => parse(text)],
  ])('come back exactly from %s', async (format, read) => {
    const { stdout } = await backtrail(repo, ['plan', 'production/web', '-o', format]);
    const expected = NAMES.map((name) => `${FOLDER}/${name}`).sort();
    expect(bytes(pathsOf(read(stdout)))).toEqual(bytes(expected));
    expect(stdout).toContain('caf\\udce9.yaml');
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e\ufffd]/);
  });

  it('are quoted in text as git quotes them, one line each', async () => {
    for (const command of [
      ['plan', 'production/web'],
      ['show', 'production/web', 'v1'],
      ['compare', 'production/web', 'v1'],
    ]) {
      const { stdout } = await backtrail(repo, command);
      for (const name of [
        '"FOLDER/caf\\351.yaml"',
        '"FOLDER/new\\nline"',
        '"FOLDER/\\033[2J"',
        '"FOLDER/\\342\\200\\256gnp"',
        'FOLDER/pl ain',
      ])
        expect(stdout).toContain(name.replace('FOLDER', FOLDER));
      // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e\ufffd]/);
    }
  });

  it('are no services, and no scope can be written for them', async () => {
    const { stdout } = await backtrail(repo, ['environments', '-o', 'json']);
    expect(JSON.parse(stdout)).toEqual({ environments: [{ environment: 'production', services: ['web'] }] });
  });

  it('are restored as they are written', async () => {
    const transcript = await backtrail(repo, [
      'rollback',
      'production/web',
      '--yes',
      '--reason',
      'x',
      '-o',
      'json',
    ]);
    const { commit } = completedOf(transcript);
    expect(await repo.git('rev-parse', `${commit}:${FOLDER}`)).toBe(
      await repo.git('rev-parse', `main~2:${FOLDER}`),
    );
    const history = await backtrail(repo, ['history', 'production/web', '-o', 'json']);
    expect(jsonOf(history, z.looseObject({ total: z.number() })).total).toBe(3);
  });
});
