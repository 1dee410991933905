/** What a large ledger costs: processes of git are counted, for they are what once took all memory. */
import { describe, expect, it } from 'vitest';
import { ledgerStream } from '../../../scripts/bench/ledger-stream.ts';
import { approvals, type Approvals } from '../../helpers/people/approvals.ts';
import { countingGit } from '../../helpers/repositories/counting-git.ts';
import { isProof, runs } from '../../helpers/run/proof.ts';

/** A ledger with so many closed requests, and two more that are signed; gives the id of the last one. */
async function ledgerOf(requests: number): Promise<Approvals & { readonly id: string }> {
  const team = await approvals();
  const { repo } = team;
  const base = await repo.git('rev-parse', 'main');
  const scopeOf = () => ({ tenant: 'acme', environment: 'staging', mode: 'full' as const });
  const author = { name: 'Jane Doe', email: 'jane@example.com' };
  const newest = Date.now() - 3_600_000;
  const parts = [...ledgerStream({ requests, open: 0, scopeOf, target: base, base, author, newest })];
  await repo.gitWith({ input: parts.join('') }, ['fast-import', '--quiet']);
  await team.ask();
  return { ...team, id: await team.ask() };
}

describe('processes of git', () => {
  it.runIf(isProof)('are as many for a hundred requests as for three, whatever asks for them', async () => {
    const few = await ledgerOf(3);
    const many = await ledgerOf(100);
    const all = await many.as('carol', ['request', 'list', '--all', '-o', 'json']);
    expect(all.stdout.match(/"id": "rbk-/g)).toHaveLength(102);
    const count = async ({ repo, as }: Approvals, args: readonly string[]) => {
      const { path, asked } = await countingGit(repo);
      const { code, stdout } = await as('carol', [...args, '-o', 'json'], { env: { PATH: path } });
      return { code, stdout, gits: (await asked()).length };
    };
    for (const args of [
      ['request', 'list', '--all'],
      ['audit', 'log'],
      ['break-glass', 'list'],
      ['request', 'show', '@'],
    ]) {
      const named = (id: string) => args.map((word) => (word === '@' ? id.slice(-8) : word));
      const one = await count(few, named(few.id));
      const other = await count(many, named(many.id));
      expect([one.code, other.code, one.gits]).toEqual([0, 0, other.gits]);
    }
  });

  it.runIf(isProof)('are as many for several signed requests as for two', async () => {
    const { repo, as, ask } = await approvals();
    const count = async () => {
      const { path, asked } = await countingGit(repo);
      expect(await as('carol', ['request', 'list', '--all'], { env: { PATH: path } })).toMatchObject({
        code: 0,
      });
      return (await asked()).length;
    };
    for (let asked = 0; asked < 2; asked += 1) await ask();
    const two = await count();
    for (let asked = 0; asked < runs(4, 2); asked += 1) await ask();
    expect(await count()).toBe(two);
  });
});
