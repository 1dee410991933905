import { expect, test } from 'vitest';
import { createRepo } from '../repositories/repo.ts';
import { allowedSigners, createIdentity } from './signing.ts';

test('what an identity signs is good for its email, by a list that has its key alone', async () => {
  const [jane, bob] = await Promise.all([
    createIdentity({ name: 'Jane Doe', email: 'jane@example.com' }),
    createIdentity({ name: 'Bob', email: 'bob@example.com' }),
  ]);
  const repo = await createRepo();
  await repo.gitWith({ env: jane.env }, ['commit', '-S', '--allow-empty', '-m', 'Signed']);
  const shown = async (trusted: readonly (typeof jane)[]) =>
    repo.git(
      '-c',
      `gpg.ssh.allowedSignersFile=${await allowedSigners(trusted)}`,
      'log',
      '-1',
      '--format=%G? %GS %GF %ae',
    );
  expect(await shown([bob, jane])).toBe(`G jane@example.com ${jane.fingerprint} jane@example.com`);
  expect(await shown([bob])).toMatch(/^U {2}SHA256:/);
});
