import { expect, it } from 'vitest';
import { z } from 'zod';
import { backtrail, jsonOf } from '../../helpers/program/cli.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';

const CONFIG = 'version: 1\nlayout: { service: [ "clusters/{environment}.yaml#/releases/{service}" ] }\n';
const file = (api: string, web: number) =>
  `releases:\n  api: ${api}\n  old: ${api.startsWith('&') ? '*v' : 1}\n  web: ${web}\n`;
const anything = z.looseObject({});

it('plan names --whole-file where a field cannot be edited; rollback with it restores the file and says so in the log', async () => {
  const repo = await createRepo();
  const first = file('1', 1);
  await repo.commit({ '.backtrail/config.yaml': CONFIG, 'clusters/prod.yaml': first });
  const target = await repo.git('rev-parse', 'HEAD');
  await repo.commit({ 'clusters/prod.yaml': file('&v 3', 2) });
  const ask = ['prod/api', '--field', 'clusters/prod.yaml#/releases/api', '--to', target];

  const refused = await backtrail(repo, ['plan', ...ask]);
  expect(refused.code).toBe(3);
  expect(refused.stdout).toMatch(/the anchor &v, which is used at line 3, column 8[^]*--whole-file/);

  const plan = await backtrail(repo, ['-o', 'json', 'plan', ...ask, '--whole-file']);
  expect(jsonOf(plan, anything)).toMatchObject({
    mode: 'field',
    fields: ['clusters/prod.yaml#/releases/api'],
    wholeFiles: ['clusters/prod.yaml'],
    impact: { services: ['api', 'old', 'web'], files: 1 },
    findings: [{ code: 'WHOLE_FILE', severity: 'warn', message: expect.stringContaining('service web') }],
  });

  const done = await backtrail(repo, ['rollback', ...ask, '--whole-file', '--reason', 'Bad', '--yes']);
  expect(done.code).toBe(0);
  expect(done.stderr).toContain('! WHOLE_FILE');
  expect(await repo.git('show', 'HEAD:clusters/prod.yaml')).toBe(first.trimEnd());
  expect((await backtrail(repo, ['log'])).stdout).toContain('field clusters/prod.yaml\n');
});

it('prints nothing of whole files where they are not asked for', async () => {
  const repo = await createRepo();
  await repo.commit({ '.backtrail/config.yaml': CONFIG, 'clusters/prod.yaml': file('1', 1) });
  await repo.commit({ 'clusters/prod.yaml': file('2', 1) });
  const plan = await backtrail(repo, ['-o', 'json', 'plan', 'prod/api', '--to', 'v1']);
  expect(plan.code).toBe(0);
  expect(Object.keys(jsonOf(plan, anything))).not.toContain('wholeFiles');
});
