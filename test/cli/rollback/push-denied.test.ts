import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { backtrail, jsonOf } from '../../helpers/program/cli.ts';
import { createRepo, isolatedEnv, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { serveGit } from '../../helpers/servers/git-http.ts';
import { z } from 'zod';

const planShape = z.looseObject({
  findings: z.array(z.looseObject({ code: z.string(), severity: z.string(), hint: z.string().optional() })),
});

it('says before the rollback is confirmed that this identity may not push, and a plan alone does not ask', async () => {
  const root = await temporaryFolder();
  const repo = await createRepo({ bare: true, folder: join(root, 'config.git') });
  const config = 'version: 1\nlayout: { service: [ "apps/{environment}/{service}.yaml" ] }\n';
  await repo.replay([
    { files: { '.backtrail/config.yaml': config, 'apps/production/web.yaml': 'a: 1\n' } },
    { files: { 'apps/production/web.yaml': 'a: 2\n' } },
  ]);
  await repo.git('config', 'http.receivepack', 'false');
  const server = await serveGit({ root, env: repo.env });
  onTestFinished(() => server.close());
  const { env } = await isolatedEnv();
  const at = { folder: root, env };
  const args = ['--repo', `${server.url}/config.git`, '-o', 'json'];
  const plan = await backtrail(at, [...args, 'plan', 'production/web']);
  expect(plan.code).toBe(0);
  expect(jsonOf(plan, planShape).findings.map(({ code }) => code)).not.toContain('PUSH_DENIED');
  const refused = await backtrail(at, [...args, 'rollback', 'production/web', '--reason', 'x', '--yes']);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain('PUSH_DENIED');
  expect(refused.stderr).toContain('A dry run sees logins');
});
