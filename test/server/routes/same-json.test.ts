/** What the command line prints with `-o json` has the forms that the server's document gives: no more, no less. */
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { auditEvents, auditReport } from '../../../server/schemas/audit.ts';
import { deployment, deploymentExists, deployments } from '../../../server/schemas/deployments.ts';
import { comparison, environments, history, shown } from '../../../server/schemas/history.ts';
import { holds } from '../../../server/schemas/holds.ts';
import { log } from '../../../server/schemas/log.ts';
import { plan } from '../../../server/schemas/plan.ts';
import { requestPlan, requests, requestView } from '../../../server/schemas/request.ts';
import { session, sessions } from '../../../server/schemas/sessions.ts';
import { backtrail } from '../../helpers/program/cli.ts';
import { configOf, POLICY } from '../../helpers/people/requests.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';

let repo: Repo;
let pending: string;
beforeAll(async () => {
  repo = await createRepo({ bare: true });
  const app = (tag: string) => ({
    'apps/prod/api/app.yaml': `image: registry.example.com/api:${tag}\nreplicas: 1\n`,
    'apps/prod/web/app.yaml': `image: registry.example.com/web:${tag}\n`,
    'apps/dev/api/app.yaml': `image: registry.example.com/api:${tag}\n`,
  });
  const policy = { environments: POLICY.environments.map((each) => ({ ...each, unsignedApprovals: true })) };
  await repo.replay([
    { files: { '.backtrail/config.yaml': configOf(policy), ...app('v1') } },
    { files: app('v2') },
    { files: app('v3') },
  ]);
  await run('deployment record prod/api --status deployed --commit v1 --note canary --migration 0042');
  await run('deployment record prod/api --status failed --commit v3');
  await run('rollback dev/api --to v1 --hold --hold-for 7d --reason bad --yes');
  pending = z
    .looseObject({ requestId: z.string() })
    .parse(await run('rollback prod/api --to v1 --reason bad --yes', 5)).requestId;
  await run('break-glass open prod/web --reason down --ticket INC-1');
  await run('rollback prod/web --to v2 --reason bad --yes');
});

async function run(line: string, code = 0): Promise<unknown> {
  const ended = await backtrail(repo, ['-o', 'json', ...line.split(' ')]);
  expect([line, ended.code, ended.stderr]).toEqual([line, code, '']);
  return JSON.parse(ended.stdout);
}

/** The command line leaves `next` out where there is no further page. */
const page = (list: z.ZodObject<{ next: z.ZodType }>) => list.extend({ next: list.shape.next.optional() });

describe('the command line', () => {
  it.each<[string, z.ZodType]>([
    // Over HTTP also whether scopes have tenants.
    ['environments', environments.omit({ tenants: true })],
    ['history prod/api', page(history)],
    ['history prod', page(history)],
    ['history dev/api --field apps/dev/api/app.yaml#/image', page(history)],
    ['show prod/api v1', shown],
    ['show prod/api HEAD --field apps/prod/api/app.yaml#/image', shown],
    ['compare prod/api v1 v3', comparison],
    ['compare prod v1', comparison],
    ['plan prod/api --to v1', plan],
    ['plan prod --to v1', plan],
    ['plan dev/api --to v2 --hold', plan],
    ['plan prod/api --to v1 --field apps/prod/api/app.yaml#/image', plan],
    ['deployment list', page(deployments)],
    ['deployment list --limit 1', page(deployments)],
    ['deployment exists --image api:v1', deploymentExists],
    ['deployment record prod/web --status pending', deployment],
    ['holds', page(holds)],
    ['audit log', page(auditEvents)],
    ['audit verify', auditReport],
    ['log', log],
    ['log --limit 1', log],
    ['log --recurring', log],
    ['request list --all', page(requests)],
    ['request list --limit 1', page(requests)],
    ['request show PENDING', requestView],
    // Over HTTP also what the caller may do.
    ['request plan PENDING', requestPlan.omit({ may: true })],
    ['break-glass list', page(sessions)],
    ['break-glass open prod/api --reason down', session],
  ])('prints what the document says: %s', async (line, schema) => {
    const printed = await run(line.replace('PENDING', pending));
    // What a schema does not have, parsing leaves out.
    expect(schema.parse(printed)).toEqual(printed);
  });
});
