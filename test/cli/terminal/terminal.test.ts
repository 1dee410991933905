import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { backtrail, jsonOf } from '../../helpers/program/cli.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { someOf } from '../../helpers/run/proof.ts';

/** Everything that a terminal obeys: ESC, the 8-bit CSI, bell, backspace, a bare CR, and what turns the reading direction. */
const EVIL = '\u001b]0;owned\u0007\u001b[2J\u009b31m\b\u202e\u2066';
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

const yaml = (tag: string) => `image: { tag: "${tag}" }\n"key${escaped}": "value${escaped} ${tag}"\n`;
const escaped = '\\u001b[31m\\u009b\\u202e';
const raw = (tag: string) => `plain text ${EVIL} ${tag}\rover\n`;

let repo: Repo;
beforeAll(async () => {
  repo = await createRepo();
  const author = { name: `Eve${EVIL.replaceAll('\u202e', '')}`, email: `eve${EVIL}@example.com` };
  const folder = 'apps/production/web';
  await repo.commit({
    '.backtrail/config.yaml': 'version: 1\nlayout: { service: [ "apps/{environment}/{service}/**" ] }\n',
    [`${folder}/service.yaml`]: yaml('v1'),
    [`${folder}/${EVIL}.txt`]: raw('v1'),
    [`${folder}/${EVIL}.yaml`]: yaml('v1'),
    [`${folder}/broken.yaml`]: `a: [${EVIL}\n`,
  });
  await repo.commit(
    {
      [`${folder}/service.yaml`]: yaml('v2'),
      [`${folder}/${EVIL}.txt`]: raw('v2'),
      [`${folder}/${EVIL}.yaml`]: yaml('v2'),
      [`${folder}/broken.yaml`]: `b: [${EVIL}\n`,
    },
    { message: `deploy ${EVIL} v2\n\nSome-Key: ${EVIL}\n`, author },
  );
});

const COMMANDS: readonly string[][] = [
  ['environments'],
  ['history', 'production/web'],
  ['show', 'production/web', 'v1'],
  ['compare', 'production/web', 'v1'],
  ['plan', 'production/web'],
  ['plan', 'production'],
  ['rollback', 'production/web', '--field', 'service.yaml#/image/tag', '--yes', '--reason', `why ${EVIL}`],
  ['rollback', 'production/web', '--yes', '--reason', `why ${EVIL}`],
  ['log'],
  ['history', 'production/web'],
  ['doctor'],
];

describe('what a repository says', () => {
  it.each(someOf(COMMANDS, 3))(
    'reaches the terminal without what it would obey: %s %s %s',
    async (...args) => {
      const words = args.filter((word) => word !== undefined);
      const { code, stdout, stderr } = await backtrail(repo, words);
      expect({ code, stderr: words[0] === 'rollback' ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).not.toMatch(OBEYED);
      expect(stderr).not.toMatch(OBEYED);
      if (words[0] === 'rollback' || words[0] === 'environments' || words[0] === 'doctor') return;
      expect(stdout).toContain('\ufffd');
      const json = await backtrail(repo, [...words, '-o', 'json']);
      const yaml = await backtrail(repo, [...words, '-o', 'yaml']);
      expect(json.stdout).not.toMatch(OBEYED);
      expect(yaml.stdout).not.toMatch(OBEYED);
      // Escaped, not lost: a script reads the very same characters.
      expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
    },
  );

  it('is the same characters for a script', async () => {
    const shown = await backtrail(repo, ['show', 'production/web', 'v1', '-o', 'json']);
    const shape = z.object({ files: z.array(z.object({ path: z.string(), text: z.string() })) });
    const { files } = jsonOf(shown, shape);
    expect(files.find(({ path }) => path.endsWith('.txt'))).toMatchObject({
      path: `apps/production/web/${EVIL}.txt`,
      text: raw('v1'),
    });
  });

  it('shows a file with Windows line ends as lines', async () => {
    const mine = await createRepo();
    await mine.commit({
      '.backtrail/config.yaml': 'version: 1\nlayout: { service: [ "apps/{environment}/{service}/**" ] }\n',
      'apps/production/web/service.yaml': 'a: 1\r\nb: 2\r\n',
    });
    const { stdout } = await backtrail(mine, ['show', 'production/web', 'v1']);
    expect(stdout).toContain('\n  a: 1\n  b: 2\n');
  });

  it('an error stays one sentence, whatever it names', async () => {
    for (const args of [
      ['plan', `production/${EVIL}\nx`],
      ['plan', 'production/web', '--to', `${EVIL}\nx`],
      ['plan', 'production/web', '--field', `${EVIL}\nx`],
      ['plan', 'production/web', '--field', `a\n${EVIL}#/x`],
      ['--repo', `/no\n${EVIL}`, 'environments'],
      ['--config', `/no\n${EVIL}`, 'environments'],
      [`bad\n${EVIL}`],
      ['plan', `--bad\n${EVIL}`],
    ]) {
      const { code, stdout, stderr } = await backtrail(repo, args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
      expect(stderr).toMatch(/^backtrail: [^\n]+\.\n {2}code: [A-Z_]+\n {2}hint: [^\n]+\n$/);
      expect(stderr).not.toMatch(OBEYED);
    }
  });
});

describe('a log that another person wrote', () => {
  it('shows forged and broken trailers as text, and names what is wrong', async () => {
    const mine = await createRepo();
    await mine.commit({
      '.backtrail/config.yaml': 'version: 1\nlayout: { service: [ "apps/{environment}/{service}/**" ] }\n',
      'apps/production/web/service.yaml': 'a: 1\n',
    });
    const trailers = [
      'Mode: full',
      `Justification: ${EVIL}`,
      'Author: eve@example.com',
      `Rollback-Request-ID: rbk-${EVIL}`,
      `Rollback-Environment: ${EVIL}`,
      `Rollback-Target: ${EVIL}`,
      'Rollback-Engine: 1e9',
    ];
    await mine.commit(
      { 'apps/production/web/service.yaml': 'a: 2\n' },
      { message: `Rollback: x\n\n${trailers.join('\n')}\n` },
    );
    for (const args of [['log'], ['history', 'production/web'], ['plan', 'production/web']]) {
      const { code, stdout, stderr } = await backtrail(mine, args);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      expect(stdout).not.toMatch(OBEYED);
    }
    const plan = await backtrail(mine, ['plan', 'production/web', '-o', 'json']);
    expect(JSON.parse(plan.stdout)).toMatchObject({ targetVersion: 1 });
    const history = await backtrail(mine, ['history', 'production/web', '-o', 'json']);
    expect(JSON.parse(history.stdout)).toMatchObject({
      revisions: [{ source: 'rollback' }, { rolledBackBy: null }],
    });
    expect((await backtrail(mine, ['log'])).stdout).toMatch(/! Trailer Rollback-Target is not valid/);
  });
});
