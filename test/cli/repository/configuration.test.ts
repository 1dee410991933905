import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backtrail, completedOf, exampleRepo, jsonOf, refusalOf } from '../../helpers/program/cli.ts';
import { createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { someOf } from '../../helpers/run/proof.ts';

const SIMPLE = 'version: 1\nlayout: { service: [ "apps/{environment}/{service}.yaml" ] }\n';

/** A repository whose configuration is this text; `null` leaves it out. */
async function withConfig(config: string | Uint8Array | null): Promise<Repo> {
  const repo = await createRepo();
  await repo.commit({ 'apps/production/web.yaml': 'image: v1\n' });
  await repo.commit({ 'apps/production/web.yaml': 'image: v2\n' });
  if (config !== null) await repo.commit({ '.backtrail/config.yaml': config });
  return repo;
}

let bare: Repo;
let file = '';
beforeAll(async () => {
  bare = await withConfig(null);
  file = join(await temporaryFolder(), 'layout.yaml');
  await writeFile(file, SIMPLE);
});

describe('a repository without a configuration of its own', () => {
  it('is refused with CONFIG_MISSING, which says what to do', async () => {
    const refusal = refusalOf(await backtrail(bare, ['environments']));
    expect(refusal).toMatchObject({
      exit: 2,
      code: 'CONFIG_MISSING',
      hint: expect.stringContaining('--config'),
    });
    expect(refusal.message).toContain('.backtrail/config.yaml');
  });

  it('works with --config FILE, also a relative one, from its first look to a rollback', async () => {
    const repo = await withConfig(null);
    const found = await backtrail(repo, ['--config', file, 'environments']);
    expect(found).toMatchObject({ code: 0, stdout: 'production  web\n' });
    const relative = await backtrail(
      repo,
      ['--repo', repo.folder, '--config', 'layout.yaml', 'environments'],
      { cwd: join(file, '..') },
    );
    expect(relative).toEqual(found);
    completedOf(
      await backtrail(repo, [
        '--config',
        file,
        'rollback',
        'production/web',
        '--yes',
        '--reason',
        'x',
        '-o',
        'json',
      ]),
    );
    expect(await repo.git('show', 'main:apps/production/web.yaml')).toBe('image: v1');
  });

  it('a file that is not there: CONFIG_MISSING, exit 2', async () => {
    const refusal = refusalOf(await backtrail(bare, ['--config', '/no/such/file', 'environments']));
    expect(refusal).toMatchObject({
      exit: 2,
      code: 'CONFIG_MISSING',
      message: expect.stringContaining('/no/such/file'),
    });
  });

  it('a folder in its place: CONFIG_MISSING, exit 2', async () => {
    expect(refusalOf(await backtrail(bare, ['--config', '/tmp', 'environments']))).toMatchObject({
      exit: 2,
      code: 'CONFIG_MISSING',
    });
  });

  it('a configuration that is a link is not followed', async () => {
    const repo = await createRepo();
    await repo.commit({
      'apps/production/web.yaml': 'image: v1\n',
      '.backtrail/config.yaml': { link: file },
    });
    expect(refusalOf(await backtrail(repo, ['environments']))).toMatchObject({
      exit: 2,
      code: 'CONFIG_MISSING',
    });
  });
});

describe('a configuration that is wrong', () => {
  it.each(
    someOf(
      [
        {
          title: 'is no YAML',
          text: 'version: 1\nlayout: [\n',
          says: /config\.yaml:\d+:\d+: This is not valid YAML/,
        },
        { title: 'is empty', text: '', says: /config\.yaml:1:1: / },
        { title: 'is a list', text: '- 1\n', says: /config\.yaml:1:1: / },
        {
          title: 'is of another version',
          text: SIMPLE.replace('1', '2'),
          says: /config\.yaml:1:1: version: /,
        },
        { title: 'has an unknown key', text: `${SIMPLE}delivry: {}\n`, says: /config\.yaml:3:1: delivry: / },
        { title: 'has a key twice', text: `${SIMPLE}version: 1\n`, says: /config\.yaml:3:1: / },
        {
          title: 'has a pattern with ..',
          text: 'version: 1\nlayout:\n  service: [ "../{environment}/{service}" ]\n',
          says: /config\.yaml:3:14: layout\.service\.0: .*"\.\."/,
        },
        {
          title: 'has an unknown placeholder',
          text: 'version: 1\nlayout:\n  service: [ "{environment}/{service}/{region}" ]\n',
          says: /config\.yaml:3:14: .*\{tenant\}, \{environment\} and \{service\}/,
        },
        {
          title: 'has a service pattern without {service}',
          text: 'version: 1\nlayout:\n  service: [ "apps/{environment}.yaml" ]\n',
          says: /config\.yaml:3:14: .*\{service\}/,
        },
        { title: 'has no pattern', text: 'version: 1\nlayout: {}\n', says: /config\.yaml:2:1: layout: / },
        {
          title: 'has a tenant in one pattern only',
          text: 'version: 1\nlayout:\n  environment: [ "t/{tenant}/{environment}/**" ]\n  service: [ "s/{environment}/{service}" ]\n',
          says: /config\.yaml:4:14: .*\{tenant\}/,
        },
        {
          title: 'has an expression that is none',
          text: `${SIMPLE}source: [ { subject: "(", is: deploy } ]\n`,
          says: /config\.yaml:3:\d+: .*regular expression/,
        },
        {
          title: 'names a field with a blank',
          text: `${SIMPLE}fields: { "a b": "x#/y" }\n`,
          says: /config\.yaml:3:\d+: .*short name/,
        },
        {
          title: 'names a branch that is not there',
          text: `${SIMPLE}branch: nope\n`,
          says: /no branch nope/,
          code: 'BRANCH_UNKNOWN',
        },
        {
          title: 'names an option as its branch',
          text: `${SIMPLE}branch: --upload-pack=x\n`,
          says: /config\.yaml:3:1: branch: /,
        },
        {
          title: 'names a revision expression as its branch',
          text: `${SIMPLE}branch: "main@{1}"\n`,
          says: /config\.yaml:3:1: branch: /,
        },
      ],
      4,
    ),
  )('$title: one sentence that says where', async ({ text, says, code = 'CONFIG_INVALID' }) => {
    const repo = await withConfig(text);
    const refusal = refusalOf(await backtrail(repo, ['environments']));
    expect(refusal).toMatchObject({ exit: 2, code, message: expect.stringMatching(says) });
  });

  it('is no text at all', async () => {
    const repo = await withConfig(new Uint8Array([0xff, 0xfe, 0x00]));
    expect(refusalOf(await backtrail(repo, ['environments']))).toMatchObject({
      exit: 2,
      code: 'CONFIG_INVALID',
    });
  });

  it('given by --config: the place is in that file', async () => {
    const broken = join(await temporaryFolder(), 'broken.yaml');
    await writeFile(broken, 'version: 1\nlayout:\n  servce: []\n');
    const refusal = refusalOf(await backtrail(bare, ['--config', broken, 'environments']));
    expect(refusal).toMatchObject({
      exit: 2,
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`${broken}:3:3: `),
    });
  });

  it('lists all its problems for a script', async () => {
    const repo = await withConfig('version: 2\nlayout: { service: [ 1 ] }\nx: 1\n');
    const { stderr } = await backtrail(repo, ['-o', 'json', 'environments']);
    const problem = z.object({ file: z.string(), line: z.number(), column: z.number(), message: z.string() });
    const shape = z.object({
      error: z.object({ details: z.object({ problems: z.array(problem).length(3) }) }),
    });
    expect(() => shape.parse(JSON.parse(stderr))).not.toThrow();
  });
});

describe('where the configuration is read', () => {
  it('always at the tip of the branch: what it said at the target does not count', async () => {
    const repo = await exampleRepo();
    const config = await repo.git('show', 'HEAD:.backtrail/config.yaml');
    await repo.commit({
      '.backtrail/config.yaml': config.replace(
        'image: "service.yaml#/image/tag"',
        'tag: "service.yaml#/image/tag"',
      ),
    });
    const planned = await backtrail(repo, [
      'plan',
      'acme/production/api-gateway',
      '--field',
      'tag',
      '-o',
      'json',
    ]);
    expect(jsonOf(planned, z.looseObject({ fields: z.array(z.string()) })).fields).toEqual([
      'tenants/acme/production/services/api-gateway/service.yaml#/image/tag',
    ]);
  });

  it('on the branch that it names, when HEAD is on another one', async () => {
    const repo = await withConfig(`${SIMPLE}branch: release\n`);
    await repo.git('checkout', '--quiet', '-b', 'release');
    await repo.commit({ 'apps/production/web.yaml': 'image: v3\n' });
    await repo.git('checkout', '--quiet', 'main');
    const planned = await backtrail(repo, ['plan', 'production/web', '-o', 'json']);
    expect(JSON.parse(planned.stdout)).toMatchObject({
      branch: 'release',
      changes: [{ files: [{ fields: [{ before: 'v3', after: 'v2' }] }] }],
    });
  });
});
