/** Whose records count where this machine knows keys, and what a ref that somebody wrote to by hand makes of the others. */
import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Engine, Person } from '../../../engine/internal.ts';
import { findDeployment } from '../../../engine/index.ts';
import { configOf, createTeam, engineFor } from '../../helpers/people/requests.ts';
import { readDeploymentEvent } from '../../../engine/record/deployment-file.ts';
import { createIdentity } from '../../helpers/people/signing.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';

const REF = 'refs/backtrail/deployments';
const SCOPE = 'prod/api';
const team = createTeam();

/** Bob may record, Carol may deploy; Jane may do neither. */
const RULES = configOf({
  permissions: [
    { allow: ['record'], in: ['*'], users: ['bob@example.com'] },
    { allow: ['deploy'], in: ['*'], users: ['carol@example.com'] },
    { allow: ['read'], in: ['*'], users: ['jane@example.com'] },
  ],
});

async function stage(config = RULES, lives: 'test' | 'file' = 'test') {
  const { jane, bob, carol, signers } = await team;
  const repo = await createRepo({ bare: true });
  const app = (tag: string) => ({ 'apps/prod/api/app.yaml': `image: api:${tag}\n` });
  await repo.replay([{ files: { '.backtrail/config.yaml': config, ...app('v1') } }, { files: app('v2') }]);
  await repo.replay([{ files: app('v3') }]);
  const open = (identity: typeof jane) => engineFor(repo, identity, { allowedSigners: signers, lives });
  const [janes, bobs, carols] = await Promise.all([open(jane), open(bob), open(carol)]);
  return { repo, jane, bob, carol, signers, janes, bobs, carols };
}

const statuses = async (engine: Engine) =>
  (await engine.history({ scope: SCOPE, limit: 5 })).revisions.map(({ status }) => status);

describe('where keys are known', () => {
  it('a record counts if it is signed by somebody who may record', async () => {
    const { repo, janes, bobs, carols, jane, bob, carol, signers } = await stage();
    const failed = { scope: SCOPE, status: 'failed', commit: 'v2' } as const;
    await expect(janes.deployments.record({ ...failed, actor: jane })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    // Jane takes the name of Bob, with her own key.
    const forged = await janes.deployments.record({ ...failed, actor: bob }).catch((error: Error) => error);
    expect(forged).toMatchObject({ verified: false, status: 'failed' });
    expect(await statuses(bobs)).toEqual(['unknown', 'unknown', 'unknown']);
    const { targetVersion } = await bobs.rollbacks.plan({ scope: SCOPE, author: carol });
    expect(targetVersion).toBe(2);
    // Who knows no keys takes every record at its word.
    expect(await statuses(await engineOf(repo))).toEqual(['unknown', 'failed', 'unknown']);
    const own = await bobs.deployments.record({ ...failed, actor: bob });
    expect(own.verified).toBe(true);
    await carols.deployments.record({ scope: SCOPE, status: 'deployed', commit: 'v1', actor: carol });
    const fresh = await engineFor(repo, carol, { allowedSigners: signers });
    expect(await statuses(fresh)).toEqual(['unknown', 'failed', 'deployed']);
    expect((await fresh.rollbacks.plan({ scope: SCOPE, author: carol })).targetVersion).toBe(1);
    const listed = (await fresh.deployments.list({ reader: carol })).deployments;
    expect(listed.map(({ verified }) => verified)).toEqual([true, true, false]);
    expect((await fresh.deployments.exists({ image: 'api:v2', reader: carol })).exists).toBe(true);
  });

  it('nobody can move a record of another on, or stand in the way of its next status', async () => {
    const { bobs, janes, bob, carol } = await stage();
    const { id } = await bobs.deployments.record({
      scope: SCOPE,
      status: 'deployed',
      commit: 'v2',
      actor: bob,
    });
    await bobs.deployments.record({ scope: SCOPE, status: 'deployed', actor: bob });
    await janes.deployments.record({ scope: SCOPE, status: 'decommissioned', id, actor: bob }).catch(() => 0);
    expect(await statuses(bobs)).toEqual(['deployed', 'deployed', 'unknown']);
    await bobs.deployments.record({ scope: SCOPE, status: 'failed', commit: 'v2', actor: bob });
    expect(await statuses(bobs)).toEqual(['deployed', 'failed', 'unknown']);
    expect(await bobs.deployments.show({ id, reader: carol })).toMatchObject({ verified: false });
    // Whoever looks for what runs is told what counts of it.
    const asked = { image: 'api:v2', reader: carol };
    expect(await findDeployment(bobs, asked)).toMatchObject({ id, status: 'failed', verified: false });
    const { deployments } = await bobs.deployments.list({ reader: carol, counting: true });
    expect(deployments.map(({ status }) => status)).toEqual(['deployed', 'failed']);
    const forged = { scope: SCOPE, status: 'deployed', commit: 'v1', actor: bob } as const;
    const { id: none } = await janes.deployments.record(forged);
    await expect(bobs.deployments.show({ id: none, reader: carol, counting: true })).rejects.toMatchObject({
      code: 'DEPLOYMENT_UNKNOWN',
    });
    expect(await bobs.deployments.exists({ ...asked, image: 'api:v1', counting: true })).toMatchObject({
      exists: false,
      deployments: [],
    });
  });
});

describe('through a server', () => {
  it('a record says how the server knew who made it, and its key counts for whom the list has it', async () => {
    const { repo, bob, carol, signers } = await stage();
    const identity = await createIdentity({ name: 'Server', email: 'server@ops.example' });
    const list = `${signers}-served`;
    const line = `*@example.com,!carol@example.com namespaces="git" ${identity.publicKey}\n`;
    await writeFile(list, `${await readFile(signers, 'utf8')}${line}`);
    const server = await engineFor(repo, identity, { allowedSigners: list });
    const knew = ({ name, email }: Person) => ({
      name,
      email,
      authenticated: { how: 'token' as const, by: '8k3m0q9xw2c4v7t1' },
    });
    const deployed = { scope: SCOPE, status: 'deployed' } as const;
    // As a server wrote it before records said that: it still counts.
    const { name, email } = bob;
    const older = await server.deployments.record({ ...deployed, commit: 'v1', actor: { name, email } });
    expect(older).toMatchObject({ verified: true });
    expect(older).not.toHaveProperty('authenticated');
    const { authenticated } = knew(bob);
    const said = { ...deployed, commit: 'v2', actor: knew(bob), note: 'canary' };
    expect(await server.deployments.record(said)).toMatchObject({
      verified: true,
      authenticated,
      notes: [{ text: 'canary', authenticated }],
    });
    // Its line excepts her.
    const excepted = await server.deployments.record({ ...deployed, commit: 'v3', actor: knew(carol) });
    expect(excepted).toMatchObject({ verified: false, authenticated });
    expect(await statuses(server)).toEqual(['unknown', 'deployed', 'deployed']);
    const jane = { name: 'Jane', email: 'jane@example.com' };
    await expect(server.deployments.record({ ...said, actor: knew(jane) })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    const texts = await Promise.all(
      (await repo.git('ls-tree', '-r', '--name-only', REF))
        .split('\n')
        .map(async (path) => ({ path, text: await repo.git('show', `${REF}:${path}`) })),
    );
    expect(texts.map(({ text }) => JSON.parse(text).version).filter((form) => form === 2)).toHaveLength(2);
    // Neither form is that of the other.
    for (const { path, text } of texts) {
      const other = text.replace(/"version": (\d)/, (_, form: string) => `"version": ${3 - Number(form)}`);
      expect(() => readDeploymentEvent(other, path)).toThrow('not in the form that Backtrail writes');
    }
  });
});

/** A commit on the ref, as anybody who may push could write it. */
async function write(repo: Repo, files: Record<string, string | null>): Promise<void> {
  const tip = await repo.git('rev-parse', REF);
  await repo.git('update-ref', 'refs/heads/by-hand', tip);
  await repo.replay([{ files }], 'by-hand');
  await repo.git('update-ref', REF, await repo.git('rev-parse', 'by-hand'));
  await repo.git('update-ref', '-d', 'refs/heads/by-hand');
}

describe('records that were written by hand', () => {
  const bob = async () => (await team).bob;
  let honest: Awaited<ReturnType<typeof recorded>>;
  const recorded = async () => {
    const all = await stage(configOf({}), 'file');
    const made = await all.bobs.deployments.record({
      scope: SCOPE,
      status: 'failed',
      commit: 'v2',
      actor: all.bob,
    });
    const path = await all.repo.git('ls-tree', '-r', '--name-only', REF);
    const text = await all.repo.git('cat-file', '-p', `${REF}:${path}`);
    return { ...all, made, path, text, tip: await all.repo.git('rev-parse', REF) };
  };
  beforeAll(async () => {
    honest = await recorded();
  });
  // Engines that have seen what somebody wrote are those of a test alone.
  beforeEach(() => honest.repo.git('update-ref', REF, honest.tip));
  const listOf = async (repo: Repo) => (await engineOf(repo)).deployments.list({ reader: await bob() });

  it.each([
    ['is not JSON', () => '{'],
    ['has a key more', (text: string) => text.replace('"version": 1', '"version": 1, "x": 1')],
    [
      'sets a prototype',
      (text: string) => text.replace('"opening": {', '"opening": { "__proto__": { "a": 1 },'),
    ],
    ['names another record', (text: string) => text.replace(/dep-.{26}/, 'dep-00000000000000000000000000')],
    ['has no commit', (text: string) => text.replace(/"commit": ".*?"/, '"commit": "../../x"')],
    ['is nobody’s', () => 'x'.repeat(2 * 1024 * 1024)],
  ])('are left out and named, where one %s', async (_what, change) => {
    const { repo, text, path, made } = honest;
    const other = path.replace(/.\.json$/, 'Z.json');
    await write(repo, { [other]: change(text), 'README.md': 'hello\n' });
    const { deployments, findings } = await listOf(repo);
    expect(deployments).toEqual([made]);
    expect(findings).toMatchObject([{ code: 'RECORDS_UNREADABLE' }]);
    expect(await statuses(await engineOf(repo))).toEqual(['unknown', 'failed', 'unknown']);
  });

  it('stay as they were first written, whatever is done to them', async () => {
    const { repo, text, path, made } = honest;
    await write(repo, { [path]: text.replace('"failed"', '"deployed"') });
    expect((await listOf(repo)).deployments).toEqual([made]);
    await write(repo, { [path]: null });
    expect((await listOf(repo)).deployments).toEqual([made]);
  });

  it('cannot be replayed in another place', async () => {
    const { repo, text, path, made } = honest;
    await write(repo, { [path.replace('deployments/', 'deployments/x/')]: text, [`copy/${path}`]: text });
    expect((await listOf(repo)).deployments).toEqual([made]);
  });

  it('never keep a plan or a rollback from being made', async () => {
    const { repo } = honest;
    // A merge could leave out what came on one of its sides.
    const [tip, main] = await Promise.all([REF, 'main'].map((name) => repo.git('rev-parse', name)));
    const tree = await repo.git('rev-parse', `${REF}^{tree}`);
    const merge = await repo.git('commit-tree', tree, '-p', tip ?? '', '-p', main ?? '', '-m', 'x');
    await repo.git('update-ref', REF, merge);
    const engine = await engineOf(repo);
    const { target, digest, base, findings } = await engine.rollbacks.plan({ scope: SCOPE });
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'RECORDS_UNREADABLE', severity: 'warn' }),
    );
    const ask = { scope: SCOPE, target, digest, base, reason: 'x', author: await bob() };
    expect(await engine.rollbacks.request(ask)).toMatchObject({ status: 'completed' });
    await expect(listOf(repo)).rejects.toMatchObject({ code: 'LEDGER_TAMPERED' });
  });

  it('of a later form are an error that says so', async () => {
    const { repo, text, path } = honest;
    const later = text.replace('"version": 1', '"version": 4');
    await write(repo, { [path.replace(/.\.json$/, 'Z.json')]: later });
    await expect(listOf(repo)).rejects.toMatchObject({ code: 'LEDGER_NEWER' });
  });
});
