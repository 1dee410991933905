/** Rollbacks that a code host merged, in each of its ways: what they change is judged, by the event of a worker whose key is trusted. */
import { appendFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { createIdentity } from '../../helpers/people/signing.ts';
import { createStranger } from '../../helpers/program/stranger.ts';
import { engineOf, SERVICE } from '../../helpers/repositories/engine.ts';
import { createScene, proposeFor, type Scene } from '../requests/pull-requests/scene.ts';
import { rewrite } from './scene.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const METHODS = someOf(['merge', 'rebase', 'squash'] as const, 1);
const MAP = 'apps/prod/map/map.yaml';
const mapAt = (version: string) => ({
  [MAP]: `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: map }\ndata: { v: "${version}" }\n`,
});

describe('an audit of pull requests', () => {
  let scene: Scene;
  const commits = new Map<string, string>();
  const auditOf = async (folder: string) => {
    const auditor = await engineOf({ ...scene.repo, folder }, { allowedSigners: scene.signers });
    return auditor.audit.verify();
  };
  beforeAll(async () => {
    scene = await createScene({
      lives: 'file',
      services: [...METHODS, 'bare'],
      files: [mapAt('v1'), mapAt('v2')],
      more: { delivery: { output: 'out/{environment}/{service}.yaml' } },
    });
    const { publicKey, email, keyFile } = await createIdentity(SERVICE);
    await appendFile(scene.signers, `${email} namespaces="git" ${publicKey}\n`);
    await appendFile(scene.repo.globalConfig, `[user]\n\tsigningKey = ${keyFile}\n[gpg]\n\tformat = ssh\n`);
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
      commits.set(method, result.commit ?? '');
    }
  });

  it('finds nothing wrong with what was merged, rebased and squashed', async () => {
    const report = await auditOf(scene.repo.folder);
    expect(report.rows.flatMap(({ problems }) => problems)).toEqual([]);
    expect(report.ledger.problems).toEqual([]);
    expect(report.rows.map(({ how, scope, verdict }) => ({ how, scope, verdict }))).toEqual(
      METHODS.toReversed().map((how) => ({ how, scope: `prod/${how}`, verdict: 'honest' })),
    );
  });

  it('exports them as they came, with a script that finds each on the branch', async () => {
    const auditor = await engineOf(scene.repo, { allowedSigners: scene.signers });
    const report = await auditor.audit.export({ from: '2020-01-01', to: '2100-01-01' });
    expect(report.changes.map(({ how, commit, status }) => [how, commit, status])).toEqual(
      METHODS.toReversed().map((method) => [method, commits.get(method), 'completed']),
    );
    expect(report.counts).toMatchObject({ published: METHODS.length, honest: METHODS.length });
    const own = new Set(commits.values());
    expect(report.direct.by.some(({ oldest, newest }) => own.has(oldest) || own.has(newest))).toBe(false);
    const stranger = await createStranger();
    const { code, output } = await stranger.run(report.script, scene.repo.folder);
    expect([code, output]).toEqual([0, expect.stringContaining('All of it holds.')]);
  });

  it.each(METHODS)('finds a byte more in what came by %s', async (method) => {
    const commit = commits.get(method) ?? '';
    const changed = await rewrite(scene.repo, commit, {
      files: { 'README.md': { mode: '100644', content: 'mine\n' } },
    });
    const { rows } = await auditOf(changed.repo.folder);
    // The ledger names a commit that the branch does not hold any more; what took its place says too little of itself, or too much.
    expect(rows.find((row) => row.commit === commit)?.problems.map(({ code }) => code)).toEqual([
      'COMMIT_MISSING',
    ]);
    const copies = rows.filter((row) => row.commit === changed.commit);
    expect(copies.every(({ verdict }) => verdict === 'tampered')).toBe(true);
  });

  it('counts no copy that no event names, and no event that no trusted key signed', async () => {
    const { number } = await proposeFor(scene, 'prod/bare');
    await scene.deploy('other', 'image: bare\n');
    await scene.host.merge(number, { by: 'ada', method: 'rebase' });
    const before = await auditOf(scene.repo.folder);
    expect(before.rows[0]?.problems.map(({ code }) => code)).toContain('BASE_DIFFERS');
    // This worker was opened before there was a key for it.
    await scene.worker.requests.reconcile({ asksHost: true });
    const after = await auditOf(scene.repo.folder);
    expect(after.rows[0]?.problems.map(({ code }) => code)).toEqual(['IDENTITY_UNVERIFIED']);
  });

  it.runIf(isProof)('counts manifests only as they were proposed by a trusted key', async () => {
    const found = [];
    const signing = await scene.another();
    for (const worker of [signing, scene.worker]) {
      const files = { ...mapAt(`bad ${found.length}`), 'out/prod/map.yaml': 'Of the bad one\n' };
      await scene.host.commitOn('main', { files, message: 'Deploy' });
      const { id, number } = await proposeFor({ ...scene, worker }, 'prod/map');
      await scene.deploy('other', `image: ${number}\n`);
      await scene.host.merge(number, { by: 'ada', method: 'squash' });
      await signing.requests.reconcile({ asksHost: true });
      expect((await signing.requests.show({ id })).result?.status).toBe('completed');
      const { rows } = await auditOf(scene.repo.folder);
      found.push(rows[0]?.problems.map(({ code }) => code));
    }
    expect(found).toEqual([[], ['RENDERER_MISSING']]);
  });
});
