import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backtrail, refusalOf } from '../../helpers/program/cli.ts';
import { createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const CONFIG = `version: 1
layout: { service: [ "apps/{environment}/{service}/**" ] }
policy: { environments: [ { match: staging, quorum: 1, approvers: { users: [ bob@example.com ] } } ] }
`;
const web = (environment: string, text: string) => ({ [`apps/${environment}/web/app.yaml`]: text });

/** A remote, and a clone of it: production can go back, staging needs an approval, of test nothing came before. */
async function stage(): Promise<{ remote: Repo; repo: Repo }> {
  const remote = await createRepo({ bare: true });
  const claim =
    'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: data }\nspec: { accessModes: [ReadWriteOnce] }\n';
  await remote.replay([
    {
      files: {
        '.backtrail/config.yaml': CONFIG,
        ...web('production', 'v: 1\n'),
        ...web('staging', 'v: 1\n'),
      },
    },
    { files: { ...web('production', 'v: 2\n'), ...web('staging', 'v: 2\n') } },
    { files: { ...web('test', 'v: 1\n'), ...web('data', 'v: 1\n') } },
    { files: { 'apps/data/web/claim.yaml': claim } },
  ]);
  const folder = await temporaryFolder();
  await remote.git('clone', '--quiet', remote.folder, folder);
  return { remote, repo: { ...remote, folder } };
}

const shape = z.object({
  rehearsals: z.array(
    z.object({
      scope: z.string(),
      status: z.enum(['ready', 'blocked', 'unchanged']),
      blockedBy: z.array(z.string()),
      approval: z
        .object({ needed: z.boolean(), quorum: z.number(), approvers: z.array(z.string()) })
        .optional(),
      push: z.object({ allowed: z.boolean() }).optional(),
      ms: z.number(),
    }),
  ),
});

describe('a rehearsal', () => {
  it('of all environments says what would go through, who could approve, and what is in the way; and leaves nothing behind', async () => {
    const { remote, repo } = await stage();
    const refs = await remote.git('for-each-ref');
    const objects = await remote.git('count-objects', '-v');
    const result = await backtrail(repo, [
      '--repo',
      `file://${remote.folder}`,
      'rehearse',
      '--all',
      '-o',
      'json',
    ]);
    expect(result.code).toBe(3);
    const { rehearsals } = shape.parse(JSON.parse(result.stdout));
    expect(rehearsals.map(({ scope, status, blockedBy }) => [scope, status, ...blockedBy])).toEqual([
      ['data', 'blocked', 'DESTRUCTIVE'],
      ['production', 'ready'],
      ['staging', 'ready'],
      ['test', 'blocked', 'REVISION_UNKNOWN'],
    ]);
    expect(rehearsals[1]).toMatchObject({ approval: { needed: false }, push: { allowed: true } });
    expect(rehearsals[2]).toMatchObject({
      approval: { needed: true, quorum: 1, approvers: ['bob@example.com'] },
    });
    expect(await remote.git('for-each-ref')).toBe(refs);
    expect(await remote.git('count-objects', '-v')).toBe(objects);
  });

  it.runIf(isProof)('says in a table what would go through, with exit code 0', async () => {
    const { repo } = await stage();
    const result = await backtrail(repo, ['rehearse', 'production', 'staging/web']);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/production +v1 \(\w+\) +ready +none +allowed/);
    expect(result.stdout).toMatch(/staging\/web +v1 \(\w+\) +ready +1 of bob@example\.com/);
  });

  it('of nothing, or of everything and something, is a slip of the pen', async () => {
    const { repo } = await stage();
    expect(refusalOf(await backtrail(repo, ['rehearse']))).toMatchObject({
      exit: 2,
      code: 'INVALID_REQUEST',
    });
    expect(refusalOf(await backtrail(repo, ['rehearse', 'production', '--all']))).toMatchObject({ exit: 2 });
  });
});
