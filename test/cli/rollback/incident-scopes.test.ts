import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expandScopes } from '../../../workers/incident/expand.ts';
import { backtrail, exampleRepo, jsonOf, refusalOf } from '../../helpers/program/cli.ts';
import { createRepo, temporaryFolder } from '../../helpers/repositories/repo.ts';

const shape = z.object({
  id: z.string(),
  rollbacks: z.array(
    z.looseObject({
      scope: z.string(),
      status: z.string(),
      requestId: z.string(),
      plan: z.looseObject({ overrides: z.array(z.string()).optional() }).optional(),
    }),
  ),
});

async function dryRun(rollbacks: string[], ...more: string[]) {
  const repo = await exampleRepo();
  const file = join(await temporaryFolder(), 'incident.yaml');
  const lines = rollbacks.map((item) => `  - ${item}\n`).join('');
  await writeFile(file, `id: inc-1\nreason: v2 answers 500\nrollbacks:\n${lines}`);
  const answer = await backtrail(repo, ['incident', file, '--dry-run', ...more]);
  return { answer, refs: await repo.git('for-each-ref', 'refs/backtrail') };
}

describe('incident --dry-run', () => {
  it('plans each scope that a pattern stands for, an entry of its own before it, and does nothing', async () => {
    const own = '{ scope: globex/production/api-gateway, to: v1 }';
    const { answer, refs } = await dryRun([own, '{ scope: "*/production/api-*" }'], '-o', 'json');
    const { rollbacks } = jsonOf(answer, shape);
    expect(rollbacks.map(({ scope, status }) => `${scope} ${status}`)).toEqual([
      'globex/production/api-gateway not started',
      'acme/production/api-gateway not started',
    ]);
    expect(refs).toBe('');
  });

  it('shows the table of plans, and ends as the first failure does', async () => {
    const { answer } = await dryRun(['{ scope: acme/production/api-gateway, to: v99 }']);
    expect(answer).toMatchObject({ code: 2, stdout: expect.stringContaining('REVISION_UNKNOWN') });
  });

  it('says which checks a rollback overrides, and not which it would have', async () => {
    const repo = await createRepo();
    const layout = { environment: ['apps/{environment}/**'], service: ['apps/{environment}/{service}.yaml'] };
    await repo.commit({
      '.backtrail/config.yaml': JSON.stringify({ version: 1, layout }),
      'apps/prod/api.yaml': 'profile: web\n',
      'apps/prod/web.yaml': 'replicas: 1\n',
    });
    await repo.commit({ 'apps/prod/api.yaml': 'profile: batch\n', 'apps/prod/web.yaml': 'replicas: 2\n' });
    const own = join(await temporaryFolder(), 'incident.yaml');
    const override = 'override: [ FIXED_FIELD, DESTRUCTIVE ]';
    const scopes = [`{ scope: prod/api, ${override} }`, '{ scope: prod/web }'];
    await writeFile(own, `id: inc-1\nreason: it is slow\nrollbacks: [ ${scopes.join(', ')} ]\n`);
    const { rollbacks } = jsonOf(await backtrail(repo, ['incident', own, '--dry-run', '-o', 'json']), shape);
    expect(rollbacks.map(({ plan }) => plan?.overrides)).toEqual([['FIXED_FIELD'], undefined]);
    const table = await backtrail(repo, ['incident', own, '--dry-run']);
    expect(table.stdout).toMatch(/prod\/api .* 1 field: api; overrides FIXED_FIELD$/m);
    expect(table.stdout.match(/; overrides/g)).toHaveLength(1);
  });

  it('names the files that hide what a pattern may stand for', async () => {
    const repo = await createRepo();
    const layout = { service: ['values-{environment}.yaml#/apps[name={service}]'] };
    const values = (tag: string) => `apps:\n  - name: api\n    tag: ${tag}\n`;
    await repo.commit({
      '.backtrail/config.yaml': JSON.stringify({ version: 1, layout }),
      'values-prod.yaml': values('v1'),
      'values-dev.yaml': 'apps: {\n',
    });
    await repo.commit({ 'values-prod.yaml': values('v2') });
    const file = join(await temporaryFolder(), 'incident.yaml');
    await writeFile(file, 'id: inc-1\nreason: v2 answers 500\nrollbacks:\n  - { scope: "*/api" }\n');
    const table = await backtrail(repo, ['incident', file, '--dry-run']);
    expect(table).toMatchObject({ code: 0, stdout: expect.stringMatching(/prod\/api[^]*values-dev\.yaml/) });
    const json = jsonOf(
      await backtrail(repo, ['incident', file, '--dry-run', '-o', 'json']),
      z.looseObject({}),
    );
    expect(json).toMatchObject({ findings: [{ code: 'FILE_UNREADABLE', path: 'values-dev.yaml' }] });
  });

  it('says so where a pattern matches nothing, and takes no other character for a pattern', async () => {
    for (const scope of ['*/prod/api', 'acme.production/*', '(a|b)*/production/x'])
      expect(refusalOf((await dryRun([`{ scope: "${scope}" }`])).answer)).toMatchObject({ exit: 2 });
  });
});

describe('a pattern of scopes', () => {
  const wish = (scope: string) => ({
    scope,
    to: 'previous',
    fields: [],
    allowRemoval: false,
    wholeFile: false,
    override: [],
  });
  const matches = async (pattern: string, names: readonly string[]) => {
    const environments = () =>
      Promise.resolve(names.map((environment) => ({ environment, services: [], status: 'ok' as const })));
    const found = await expandScopes({ environments }, [wish(pattern)]).catch(() => []);
    return found.map(({ scope }) => scope);
  };

  it('does not take the place of another one that wants other fields, or another target', async () => {
    const environments = () =>
      Promise.resolve([{ environment: 'prod', services: ['api'], status: 'ok' as const }]);
    const of = (...wishes: { scope?: string; fields?: string[]; to?: string }[]) =>
      expandScopes(
        { environments },
        wishes.map((each) => ({ ...wish('prod/a*'), ...each })),
      );
    const both = await of(
      { fields: ['image'] },
      { fields: ['replicas'] },
      { scope: '*/api', fields: ['image'] },
    );
    expect(both.map(({ scope, fields }) => [scope, ...fields])).toEqual([
      ['prod/api', 'image'],
      ['prod/api', 'replicas'],
    ]);
    await expect(of({ to: 'v1' }, { scope: '*/api', to: 'v2' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    expect(await of({ to: 'v1' }, { scope: '*/api', to: 'v2' }, { scope: 'prod/api' })).toHaveLength(1);
  });

  it('comes to no more than 5,000 rollbacks, and is refused before it takes the memory of them', async () => {
    const services = Array.from({ length: 4000 }, (_, index) => `s${index}`);
    const environments = () => Promise.resolve([{ environment: 'prod', services, status: 'ok' as const }]);
    let copied = 0;
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        ...wish('prod/*'),
        fields: [`f${index}`],
        get override(): string[] {
          copied += 1;
          return [];
        },
      }));
    const refused = (count: number) => expandScopes({ environments }, many(count)).catch(String);
    expect(await refused(1)).toHaveLength(4000);
    copied = 0;
    expect(await refused(400)).toContain('The file comes to more than 5000 rollbacks.');
    expect(copied).toBeLessThan(20_000);
    expect(await refused(501)).toContain('The file has 501 patterns; 500 are the most.');
  });

  it('matches what the same regular expression does', async () => {
    const letter = fc.constantFrom('a', 'b', '.');
    const name = fc.array(letter, { minLength: 1, maxLength: 6 }).map((letters) => letters.join(''));
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '.', '*'), { minLength: 1, maxLength: 6 })
      .map((letters) => `${letters.join('')}*`);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { minLength: 1 }), pattern, async (names, text) => {
        const same = new RegExp(`^${text.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
        expect(await matches(text, names)).toEqual(names.filter((each) => same.test(each)).toSorted());
      }),
    );
  });

  it('of many stars is read once from left to right', async () => {
    const long = 'a'.repeat(5000);
    expect(await matches(`${'*a'.repeat(30)}*b`, [long])).toEqual([]);
    expect(await matches('*a*a*', [long, `${long}/x`])).toEqual([long]);
  });
});
