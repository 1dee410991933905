import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backtrail, exampleRepo, isSentence, refusalOf, stateOf } from '../../helpers/program/cli.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { someOf } from '../../helpers/run/proof.ts';

const YES = ['--yes', '--reason', 'It answers 500'];
const errorSchema = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string().refine(isSentence),
    hint: z.string().min(1),
    details: z.record(z.string(), z.unknown()),
  }),
});

let repo: Repo;
let side = '';
let before = '';
beforeAll(async () => {
  repo = await exampleRepo();
  await repo.git('checkout', '--quiet', '-b', 'side', 'main~3');
  side = await repo.commit({ 'tenants/acme/production/variables.yaml': 'variables: {}\n' });
  await repo.git('checkout', '--quiet', 'main');
  before = await stateOf(repo);
});

interface Case {
  readonly title: string;
  readonly args: readonly string[] | (() => Promise<readonly string[]>);
  readonly exit: number;
  readonly code: string;
  readonly message?: RegExp;
}

const oldest = async () => (await repo.git('rev-list', '--first-parent', 'main')).split('\n').at(-1) ?? '';
const rollback = (...args: string[]) => ['rollback', ...args];

/** The end of the "Done when", and their neighbours. */
const REFUSALS: readonly Case[] = [
  {
    title: 'a short field name without a service',
    args: rollback('acme/production', '--field', 'image', ...YES),
    exit: 2,
    code: 'FIELD_NEEDS_SERVICE',
    message: /"image".*acme\/production/,
  },
  {
    title: 'an empty field',
    args: rollback('acme/production', '--field', '', ...YES),
    exit: 2,
    code: 'FIELDS_REQUIRED',
  },
  {
    title: 'an empty field in a service',
    args: rollback('acme/production/web', '--field', '', ...YES),
    exit: 2,
    code: 'FIELDS_REQUIRED',
  },
  {
    title: 'an unknown short name',
    args: rollback('acme/production/web', '--field', 'colour', ...YES),
    exit: 2,
    code: 'FIELD_UNKNOWN',
  },
  {
    title: 'a field with a path outside',
    args: rollback('acme/production/web', '--field', '../../../etc/passwd#/a', ...YES),
    exit: 2,
    code: 'FIELD_INVALID',
  },
  {
    title: 'a field of another service',
    args: rollback(
      'acme/production/web',
      '--field',
      'tenants/acme/production/services/billing/service.yaml#/image/tag',
      ...YES,
    ),
    exit: 2,
    code: 'FIELD_OUT_OF_SCOPE',
  },
  {
    title: 'a whole file as a field',
    args: rollback('acme/production/web', '--field', 'service.yaml#', ...YES),
    exit: 2,
    code: 'FIELD_INVALID',
  },
  {
    title: 'a broken selector',
    args: rollback('acme/production/web', '--field', 'service.yaml#/a[b', ...YES),
    exit: 2,
    code: 'SELECTOR_INVALID',
  },
  {
    title: 'a field that is nowhere',
    args: rollback('acme/production/web', '--field', 'service.yaml#/no/such/field', ...YES),
    exit: 2,
    code: 'FIELD_UNKNOWN',
  },
  {
    title: 'a field that is nowhere beside one that is there',
    args: rollback(
      'acme/production/api-gateway',
      '--field',
      'image',
      '--field',
      'service.yaml#/replcas',
      ...YES,
    ),
    exit: 2,
    code: 'FIELD_UNKNOWN',
    message: /replcas/,
  },
  {
    title: 'an unknown tenant',
    args: rollback('nobody/production', ...YES),
    exit: 2,
    code: 'TENANT_UNKNOWN',
  },
  {
    title: 'an unknown environment',
    args: rollback('acme/moon', ...YES),
    exit: 2,
    code: 'ENVIRONMENT_UNKNOWN',
  },
  {
    title: 'an unknown service',
    args: rollback('acme/production/nope', ...YES),
    exit: 2,
    code: 'SERVICE_UNKNOWN',
  },
  { title: 'a scope with ..', args: rollback('acme/../production', ...YES), exit: 2, code: 'SCOPE_INVALID' },
  { title: 'an empty scope', args: rollback('', ...YES), exit: 2, code: 'SCOPE_INVALID' },
  { title: 'a scope of four parts', args: rollback('a/b/c/d', ...YES), exit: 2, code: 'SCOPE_INVALID' },
  { title: 'a scope of one part', args: rollback('acme', ...YES), exit: 2, code: 'SCOPE_INVALID' },
  {
    title: 'a scope with a slash at the end',
    args: rollback('acme/production/', ...YES),
    exit: 2,
    code: 'SCOPE_INVALID',
  },
  {
    title: 'a scope with an escape sequence',
    args: rollback('acme/\u001b[31mx', ...YES),
    exit: 2,
    code: 'SCOPE_INVALID',
  },
  {
    title: 'a scope named like a prototype',
    args: rollback('__proto__/constructor', ...YES),
    exit: 2,
    code: 'TENANT_UNKNOWN',
  },
  {
    title: 'a revision expression of git',
    args: rollback('acme/production', '--to', 'main@{u}', ...YES),
    exit: 2,
    code: 'REVISION_INVALID',
  },
  {
    title: 'a branch that is not on the line as a revision',
    args: rollback('acme/production', '--to', 'side', ...YES),
    exit: 2,
    code: 'REVISION_NOT_ON_BRANCH',
  },
  {
    title: 'another expression of git as a revision',
    args: rollback('acme/production', '--to', 'HEAD@{1}', ...YES),
    exit: 2,
    code: 'REVISION_INVALID',
  },
  {
    title: 'an option as a revision',
    args: rollback('acme/production', '--to', '--all', ...YES),
    exit: 2,
    code: 'REVISION_INVALID',
  },
  {
    title: 'an empty revision',
    args: rollback('acme/production', '--to', '', ...YES),
    exit: 2,
    code: 'TARGET_REQUIRED',
  },
  { title: 'v0', args: rollback('acme/production', '--to', 'v0', ...YES), exit: 2, code: 'REVISION_UNKNOWN' },
  {
    title: 'a version too high',
    args: rollback('acme/production', '--to', 'v9999', ...YES),
    exit: 2,
    code: 'REVISION_UNKNOWN',
  },
  {
    title: 'a commit that is nowhere',
    args: rollback('acme/production', '--to', 'deadbeef', ...YES),
    exit: 2,
    code: 'REVISION_UNKNOWN',
  },
  {
    title: 'a day that is none',
    args: rollback('acme/production', '--to', '@2026-02-31', ...YES),
    exit: 2,
    code: 'REVISION_INVALID',
  },
  {
    title: 'a time before everything',
    args: rollback('acme/production', '--to', '@1999-01-01', ...YES),
    exit: 2,
    code: 'REVISION_UNKNOWN',
  },
  {
    title: 'a commit that is not on the branch',
    args: () => Promise.resolve(rollback('acme/production', '--to', side, ...YES)),
    exit: 2,
    code: 'REVISION_NOT_ON_BRANCH',
  },
  {
    title: 'a commit of a merged branch, which is not on the first-parent line',
    args: async () => {
      const merge = (await repo.git('rev-list', '--first-parent', '--merges', 'main')).split('\n')[0] ?? '';
      return rollback('acme/production', '--to', await repo.git('rev-parse', `${merge}^2`), ...YES);
    },
    exit: 2,
    code: 'REVISION_NOT_ON_BRANCH',
  },
  { title: 'no reason', args: rollback('acme/production', '--yes'), exit: 2, code: 'REASON_REQUIRED' },
  {
    title: 'an empty reason',
    args: rollback('acme/production', '--yes', '--reason', ''),
    exit: 2,
    code: 'REASON_REQUIRED',
  },
  {
    title: 'a reason of blanks',
    args: rollback('acme/production', '--yes', '--reason', ' \t \n\u00a0\u3000'),
    exit: 2,
    code: 'REASON_REQUIRED',
  },
  {
    title: 'a reason of control characters',
    args: rollback('acme/production', '--yes', '--reason', '\u0001\u001b\u009b\u200b\u202e\u2066\ufeff'),
    exit: 2,
    code: 'REASON_REQUIRED',
  },
  {
    title: 'no terminal and no --yes',
    args: rollback('acme/production', '--reason', 'It is slow'),
    exit: 2,
    code: 'CONFIRMATION_REQUIRED',
  },
];

describe('a rollback that cannot be meant', () => {
  it.each(someOf(REFUSALS, 8))(
    '$title: exit $exit and $code, nothing moves',
    async ({ args, exit, code, message }) => {
      const words = typeof args === 'function' ? await args() : args;
      expect(refusalOf(await backtrail(repo, words))).toMatchObject({
        exit,
        code,
        message: expect.stringMatching(message ?? /./),
      });
      const json = await backtrail(repo, ['-o', 'json', ...words]);
      expect({ code: json.code, value: JSON.parse(json.stdout) as unknown }).toEqual({
        code: exit,
        value: JSON.parse(json.stderr) as unknown,
      });
      expect(errorSchema.parse(JSON.parse(json.stderr)).error.code).toBe(code);
      expect(await stateOf(repo)).toBe(before);
    },
  );

  it('a target before the scope existed: shows the plan, exits 3 with TARGET_ABSENT, and nothing moves', async () => {
    const words = rollback('globex/production/recommendations', '--to', await oldest(), ...YES);
    const text = await backtrail(repo, words);
    expect({ code: text.code, stdout: text.stdout }).toEqual({ code: 3, stdout: '' });
    expect(text.stderr).toMatch(/^Rollback of globex\/production\/recommendations/);
    expect(text.stderr).toMatch(
      /\nbacktrail: [^\n]+\.\n {2}code: TARGET_ABSENT\n {2}hint: [^\n]+--allow-removal[^\n]+\n$/,
    );
    const json = await backtrail(repo, ['-o', 'json', ...words]);
    expect({ code: json.code, value: JSON.parse(json.stdout) as unknown }).toEqual({
      code: 3,
      value: JSON.parse(json.stderr) as unknown,
    });
    expect(errorSchema.parse(JSON.parse(json.stderr)).error.code).toBe('TARGET_ABSENT');
    expect(await stateOf(repo)).toBe(before);
  });

  it.each(['plan', 'history', 'show', 'compare', 'log'])(
    '%s refuses an invalid scope the same way',
    async (command) => {
      const more = command === 'show' || command === 'compare' ? ['v1'] : [];
      expect(refusalOf(await backtrail(repo, [command, '../x', ...more]))).toMatchObject({
        exit: 2,
        code: 'SCOPE_INVALID',
      });
    },
  );

  it('log of a scope that nothing knows says so', async () => {
    expect(refusalOf(await backtrail(repo, ['log', 'nobody/production']))).toMatchObject({
      exit: 2,
      code: 'TENANT_UNKNOWN',
    });
  });
});
