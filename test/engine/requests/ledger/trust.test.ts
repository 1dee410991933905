import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { Engine } from '../../../../engine/internal.ts';
import { isProof, someOf } from '../../../helpers/run/proof.ts';
import { engineOf } from '../../../helpers/repositories/engine.ts';
import { ask, configOf, createTeam, engineFor, policedRepo } from '../../../helpers/people/requests.ts';
import { LEDGER } from '../../../helpers/people/scene.ts';
import { allowedSigners } from '../../../helpers/people/signing.ts';

const team = createTeam();

it("trusts the keys of the user's own setting of git where no list is named, and none of the repository's", async () => {
  const { jane, bob, signers } = await team;
  const repo = await policedRepo();
  const janes = await engineFor(repo, jane);
  const { id } = await ask(janes, jane);
  await (await engineFor(repo, bob)).requests.approve({ id, actor: bob });
  await repo.git('config', 'gpg.ssh.allowedSignersFile', signers);
  const [worker, stranger] = [
    await engineOf(repo),
    await engineOf(repo, { allowedSigners: await allowedSigners([jane]) }),
  ];
  const identity = async (engine: Engine) =>
    (await engine.requests.show({ id })).reviews.map((review) => review.identity);
  expect(await identity(worker)).toEqual(['unverified']);
  await appendFile(repo.globalConfig, `[gpg "ssh"]\n\tallowedSignersFile = ${signers}\n`);
  expect(await identity(worker)).toEqual(['verified']);
  expect(await identity(stranger)).toEqual(['unverified']);
  expect(await worker.requests.executeRequest(id)).toMatchObject({ status: 'completed' });
});

it.runIf(isProof)('notices while it runs that a key was added to the list, or taken out', async () => {
  const { jane, bob } = await team;
  const repo = await policedRepo();
  const list = await allowedSigners([jane]);
  const [janes, worker] = [await engineFor(repo, jane), await engineOf(repo, { allowedSigners: list })];
  const { id } = await ask(janes, jane);
  await (await engineFor(repo, bob)).requests.approve({ id, actor: bob });
  const have = async () => (await worker.requests.show({ id })).approval.have;
  expect(await have()).toBe(0);
  const key = `bob@example.com namespaces="git" ${bob.publicKey}\n`;
  await appendFile(list, key);
  expect(await have()).toBe(1);
  await writeFile(list, (await readFile(list, 'utf8')).replace(key, ''));
  expect(await have()).toBe(0);
  await expect(worker.requests.executeRequest(id)).rejects.toMatchObject({ code: 'IDENTITY_UNVERIFIED' });
});

it('leaves what was signed by keys in no list here to a worker that has them in its own, and asks nobody again', async () => {
  const { jane, bob, signers } = await team;
  const repo = await policedRepo();
  const janes = await engineFor(repo, jane);
  const { id } = await ask(janes, jane);
  await (await engineFor(repo, bob)).requests.approve({ id, actor: bob });
  const stranger = await engineOf(repo, { allowedSigners: await allowedSigners([jane]) });
  const ledger = () => repo.git('rev-parse', 'refs/backtrail/ledger');
  const before = await ledger();
  for (const execute of [
    () => stranger.requests.executeRequest(id),
    async () => {
      const result = (await stranger.requests.executeRequests([{ id }])).get(id);
      if (result?.status === 'rejected') throw result.reason;
    },
  ])
    await expect(execute()).rejects.toMatchObject({ code: 'IDENTITY_UNVERIFIED' });
  expect((await stranger.requests.reconcile()).waiting).toEqual([]);
  expect(await ledger()).toBe(before);
  const worker = await engineOf(repo, { allowedSigners: signers });
  expect((await worker.requests.reconcile()).waiting).toEqual([id]);
  expect(await worker.requests.executeRequest(id)).toMatchObject({ status: 'completed' });
});

it('writes no event to the branch itself, also where the configuration comes from outside', async () => {
  const { jane, signers } = await team;
  const inside = configOf(undefined, { ledger: { ref: 'refs/heads/main' } });
  const repo = await policedRepo(inside);
  const before = await repo.git('rev-parse', 'main');
  for (const config of [{}, { config: configOf() }]) {
    const janes = await engineFor(repo, jane, { allowedSigners: signers, ...config });
    await expect(ask(janes, jane)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'ledger.ref: refs/heads/main conflicts with the branch main.',
    });
  }
  expect(await repo.git('rev-parse', 'main')).toBe(before);
});

it.each(
  someOf<[string, number, number]>(
    [
      ['who asked and who approved', 0, -180_000],
      ['who approved', 100_000, -100_000],
    ],
    1,
  ),
)(
  'leaves what is dated later than its clock to a worker whose clock is right: %s',
  async (_, ahead, behind) => {
    const { jane, bob, signers } = await team;
    const repo = await policedRepo();
    const { id, createdAt } = await ask(await engineFor(repo, jane), jane);
    const clockAt = (offset: number) => ({
      now: () => Date.parse(createdAt) + offset,
      sleep: () => Promise.resolve(),
    });
    const bobs = await engineFor(repo, bob, { clock: clockAt(ahead) });
    await bobs.requests.approve({ id, actor: bob });
    const ledger = () => repo.git('rev-parse', LEDGER);
    const before = await ledger();
    const slow = await engineOf(repo, { allowedSigners: signers, clock: clockAt(behind) });
    const refused = { code: 'IDENTITY_UNVERIFIED', message: expect.stringMatching(/later than the clock/) };
    await expect(slow.requests.executeRequest(id)).rejects.toMatchObject(refused);
    expect((await slow.requests.executeRequests([{ id }])).get(id)).toMatchObject({ reason: refused });
    expect((await slow.requests.reconcile()).waiting).toEqual([]);
    expect(await ledger()).toBe(before);
    const worker = await engineOf(repo, { allowedSigners: signers });
    expect((await worker.requests.reconcile()).waiting).toEqual([id]);
    expect(await worker.requests.executeRequest(id)).toMatchObject({ status: 'completed' });
  },
);
