import { beforeAll, describe, expect, it } from 'vitest';
import { backtrail, exampleRepo } from '../../helpers/program/cli.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { someOf } from '../../helpers/run/proof.ts';

const CONFIG = `version: 1
layout: { environment: [ "envs/{environment}/**" ], service: [ "envs/{environment}/{service}/**" ] }
`;
const DIGESTS = ['a', 'b'].map((letter) => `sha256:${letter.repeat(64)}`);
const ALIKE = ['c', 'd'].map((letter) => `sha256:${'0'.repeat(20)}${letter.repeat(44)}`);

let example: Repo;
let repo: Repo;
beforeAll(async () => {
  example = await exampleRepo();
  repo = await createRepo();
  for (const [turn, digest] of DIGESTS.entries())
    await repo.commit(
      {
        '.backtrail/config.yaml': CONFIG,
        'envs/prod/api/values.yaml': `image: reg.io/api@${digest}\nother: reg.io/x@${ALIKE[turn]}\n`,
        'envs/prod/api/image.txt': `reg.io/api@${digest}\n`,
        ...(turn === 1 && { 'envs/prod/api/new.yaml': 'a: 1\nb: 2\n' }),
      },
      { message: `Deploy number ${turn + 1}`, author: { name: 'Jane Doe', email: 'jane@example.com' } },
    );
});

describe('on a terminal of 60 columns', () => {
  it.each(
    someOf(
      [
        [['environments']],
        [['history', 'acme/production/api-gateway']],
        [['history', 'acme/production']],
        [['doctor']],
      ],
      1,
    ),
  )('%s fits', async (args) => {
    const { code, stdout } = await backtrail(example, args, { columns: 60 });
    expect(code).toBe(0);
    expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(60);
  });

  it('history keeps version, commit and subject', async () => {
    const wide = (await backtrail(repo, ['history', 'prod/api'])).stdout;
    const { stdout } = await backtrail(repo, ['history', 'prod/api'], { columns: 60 });
    expect(stdout).toMatch(/^v2 +[0-9a-f]{7} .*Deploy/m);
    expect(wide).toMatch(/^v2 .*Jane Doe.*Deploy number 2$/m);
  });

  it('history has no column for sources that are unknown', async () => {
    expect((await backtrail(repo, ['history', 'prod/api'])).stdout).not.toMatch(/source|unknown/);
  });
});

describe('the head of a plan', () => {
  it('says when, by whom and why the two revisions came', async () => {
    const { stdout } = await backtrail(repo, ['plan', 'prod/api']);
    const when = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d`;
    expect(stdout).toMatch(
      new RegExp(
        `^ {2}from v2 \\([0-9a-f]{7}\\) {2}${when} {2}Jane Doe {2}Deploy number 2\n {2}to   v1 \\([0-9a-f]{7}\\) {2}${when} {2}Jane Doe {2}Deploy number 1$`,
        'm',
      ),
    );
  });
});

describe('the head of a plan on a terminal of 60 columns', () => {
  it('goes on in lines of its own', async () => {
    const { stdout } = await backtrail(repo, ['plan', 'prod/api'], { columns: 60 });
    expect(stdout).toMatch(/^ {2}to {3}v1 \([0-9a-f]{7}\) {2}[^\n]+\n {21}\S/m);
  });
});

describe('digests', () => {
  it('are short in text, and whole in JSON and with --full', async () => {
    const { stdout } = await backtrail(repo, ['plan', 'prod/api']);
    expect(stdout).toContain('reg.io/api@sha256:bbbbbbbbbbbb… → reg.io/api@sha256:aaaaaaaaaaaa…');
    expect(stdout).toMatch(/^digest sha256:[0-9a-f]{12}…$/m);
    for (const option of [['--full'], ['-o', 'json']]) {
      const whole = (await backtrail(repo, ['plan', 'prod/api', ...option])).stdout;
      for (const digest of DIGESTS) expect(whole).toContain(`reg.io/api@${digest}`);
      expect(whole).toMatch(/digest\W+sha256:[0-9a-f]{64}/);
    }
  });

  it('that would look alike stay whole', async () => {
    const { stdout } = await backtrail(repo, ['plan', 'prod/api']);
    expect(stdout).toContain(`reg.io/x@${ALIKE[1]} → reg.io/x@${ALIKE[0]}`);
  });
});

describe('--stat', () => {
  it('says only how much changes in each file', async () => {
    const { stdout } = await backtrail(repo, ['plan', 'prod/api', '--stat', '--allow-removal']);
    expect(stdout).toContain(
      [
        'api',
        '  ~ envs/prod/api/image.txt (2 lines)',
        '  - envs/prod/api/new.yaml (removed, 2 fields)',
        '  ~ envs/prod/api/values.yaml (2 fields)',
        '',
      ].join('\n'),
    );
    const compared = (await backtrail(repo, ['--stat', 'compare', 'prod/api', 'v2', 'v1'])).stdout;
    expect(compared).toContain('  ~ envs/prod/api/values.yaml (2 fields)');
    expect(compared).not.toContain('→');
  });

  it('takes nothing from JSON', async () => {
    const args = ['plan', 'prod/api', '-o', 'json'];
    const { stdout } = await backtrail(repo, args);
    expect((await backtrail(repo, [...args, '--stat'])).stdout).toBe(stdout);
  });
});
