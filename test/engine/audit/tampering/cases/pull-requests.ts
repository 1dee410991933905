/** Rollbacks that a code host merged, in each of its ways. */
import { appendFile } from 'node:fs/promises';
import { createIdentity } from '../../../../helpers/people/signing.ts';
import { SERVICE } from '../../../../helpers/repositories/engine.ts';
import { createScene, proposeFor } from '../../../requests/pull-requests/scene.ts';
import type { Case, Story } from '../case.ts';
import { diary } from './diary.ts';

const METHODS = ['merge', 'rebase', 'squash'] as const;

export const PULL_REQUESTS: Story = {
  name: 'pull requests',
  isLong: true,
  isElsewhere: true,
  cases: METHODS.map(
    (how): Case => ({
      name: how,
      what: `by a pull request, ${{ merge: 'merged', rebase: 'rebased', squash: 'squashed' }[how]}`,
      kind: 'rollback',
      how,
      trailers: [],
      isDemanded: true,
      hasLedger: true,
      restored: `apps/prod/${how}/app.yaml`,
    }),
  ),
  async build() {
    const scene = await createScene({ lives: 'file', services: METHODS });
    const worker = await createIdentity(SERVICE);
    const { publicKey, email, keyFile } = worker;
    await appendFile(scene.signers, `${email} namespaces="git" ${publicKey}\n`);
    await appendFile(scene.repo.globalConfig, `[user]\n\tsigningKey = ${keyFile}\n[gpg]\n\tformat = ssh\n`);
    const { note, done } = diary(scene.repo);
    for (const method of METHODS) {
      const { id, number } = await proposeFor(scene, `prod/${method}`);
      // Somebody else's commit comes before it, so that the host has to make one of its own.
      await scene.deploy('other', `image: ${method}\n`);
      await scene.host.merge(number, { by: 'ada', method });
      // Opened by now: the first look of one is as it was opened.
      const signing = await scene.another();
      await signing.requests.reconcile({ asksHost: true });
      const { result } = await signing.requests.show({ id });
      if (result?.status !== 'completed') throw new Error(`It is ${result?.status}.`);
      await note(method, { requestId: id, commit: result.commit, deliveryCommit: result.deliveryCommit });
    }
    return { repo: scene.repo, signers: scene.signers, done, worker };
  },
};
