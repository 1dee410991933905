import { describe, expect, it } from 'vitest';
import { askedOf } from '../../../engine/requests/many/member.ts';
import { ask, configOf, createTeam, POLICY, stageOf } from '../../helpers/people/requests.ts';
import { LEDGER } from '../../helpers/people/scene.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { rewrite } from './scene.ts';

const team = createTeam();

describe('an audit of what somebody asked for without a signature', () => {
  it('goes by the rules that the rollback was made by', async () => {
    const free = configOf({ environments: [{ ...POLICY.environments[0], unsignedRequests: true }] });
    const { repo, jane, bob, bobs, worker, signers } = await stageOf(team, free);
    const unsigned = await engineOf(repo);
    const asked = await ask(unsigned, jane);
    await repo.commit({ '.backtrail/config.yaml': configOf() });
    const state = await bobs.requests.approve({ id: asked.id, actor: bob });
    const at = state.reviews[0]?.at ?? '';
    const ledger = await repo.git('rev-parse', LEDGER);
    const approvals = ['Approved by bob@example.com (quorum: 1/1)'];
    const provenance = { approvals, ledger, breakGlass: null, at };
    // A worker would not.
    const { commit } = await worker.execute({ ...askedOf(state), requestedAt: at, provenance });
    const audit = async (of: Repo) => {
      const { rows } = await (await engineOf(of, { allowedSigners: signers })).audit.verify();
      return rows.map(({ problems }) => problems.map(({ code }) => code));
    };
    expect(await audit(repo)).toEqual([['IDENTITY_UNVERIFIED']]);
    const earlier = await rewrite(repo, commit ?? '', {
      text: (text) => text.replace('Rollback-Engine: 4', 'Rollback-Engine: 3'),
    });
    expect(await audit(earlier.repo)).toEqual([[]]);
    // What follows a commit of the newest rules cannot say that it knew older ones alone.
    const first = await rewrite(repo, await repo.git('rev-parse', `${commit ?? ''}^`), {
      text: (text) => `${text.trimEnd()}\n\nRollback-Engine: 4\n`,
    });
    const tip = await first.repo.git('rev-parse', 'main');
    const later = await rewrite(first.repo, tip, {
      text: (text) => text.replace('Rollback-Engine: 4', 'Rollback-Engine: 3'),
    });
    expect((await audit(later.repo))[0]).toContain('IDENTITY_UNVERIFIED');
  });
});
