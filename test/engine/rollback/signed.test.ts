import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine, RollbackAsk } from '../../../engine/index.ts';
import { allowedSigners, createIdentity, type Identity } from '../../helpers/people/signing.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { cloneRepo, createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { askAll, log, statusOf } from './batch-repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

let worker: Identity;
let list: string;
beforeAll(async () => {
  worker = await createIdentity({ name: 'Backtrail', email: 'bot@example.com' });
  list = await allowedSigners([worker]);
});

const POLICY = { environments: [{ match: '*', quorum: 0, unsignedRequests: true }] };

/** A branch that takes signed commits alone, in GitHub's words, and services with manifests, of two revisions. */
async function guarded(more: object = {}, format: 'sha1' | 'sha256' = 'sha1') {
  const repo = await createRepo({ bare: true, format });
  const config = {
    version: 1,
    layout: { service: ['apps/{environment}/{service}/**'] },
    delivery: { output: 'out/{environment}/{service}.yaml' },
    ...more,
  };
  const at = (version: string) =>
    Object.fromEntries(
      ['api', 'web', 'db'].map((name) => [
        `apps/prod/${name}/map.yaml`,
        `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { v: ${version} }\n`,
      ]),
    );
  const [, base = ''] = await repo.replay([
    { files: { '.backtrail/config.yaml': `${JSON.stringify(config)}\n`, ...at('one') } },
    { files: at('two') },
  ]);
  const words =
    'error: GH006: Protected branch update failed for refs/heads/main.\nerror: Commits must have verified signatures.';
  const hook = `#!/bin/sh
while read -r old new ref; do
  [ "$ref" = refs/heads/main ] || continue
  [ ! -e before ] || { sh before; rm before; }
  for commit in $(git rev-list "$old..$new"); do
    git -c gpg.ssh.allowedSignersFile='${list}' verify-commit "$commit" 2>/dev/null || { echo '${words}' >&2; exit 1; }
  done
done
`;
  await writeFile(join(repo.gitDir, 'hooks/pre-receive'), hook, { mode: 0o755 });
  const location = `file://${repo.folder}`;
  return { repo, base, location };
}

const signing = (repo: Repo) => ({ ...repo, env: { ...repo.env, ...worker.env } });

async function askOf(engine: Engine, ask: Partial<RollbackAsk>): Promise<RollbackAsk> {
  const { target, digest, base } = await engine.rollbacks.plan({ scope: 'prod/api', author: JANE, ...ask });
  return { scope: 'prod/api', target, digest, base, author: JANE, reason: 'It answers 500', ...ask };
}

const publish = async (engine: Engine, ask: Partial<RollbackAsk> = {}) =>
  engine.rollbacks.request(await askOf(engine, ask));

/** `G`: signed by a key of the list. */
const signatures = (repo: Repo, range: string) =>
  repo
    .git('-c', `gpg.ssh.allowedSignersFile=${list}`, 'log', '--reverse', '--format=%G? %s', range)
    .then((text) => text.split('\n'));

describe('a branch that takes signed commits alone', () => {
  it.each(
    someOf(
      [
        ['through a mirror', 'sha1'],
        ['from a clone', 'sha1'],
        ['with SHA-256 ids', 'sha256'],
      ] as const,
      1,
    ),
  )('takes a rollback with its manifests, a hold and a resume: %s', async (how, format) => {
    const { repo, base, location } = await guarded({ commit: { sign: true } }, format);
    const from = how === 'from a clone' ? await cloneRepo(repo) : repo;
    const engine = await engineOf(signing(from), how === 'from a clone' ? {} : { location });
    await publish(engine, { hold: true });
    const { status, request } = await publish(engine, { resume: true });
    expect([status, request]).toEqual(['completed', null]);
    expect(await signatures(repo, `${base}..main`)).toEqual([
      expect.stringMatching(/^G Rollback: /) as unknown,
      expect.stringMatching(/^G Deliver: /) as unknown,
      expect.stringMatching(/^G Resume: /) as unknown,
    ]);
    const { rollbacks } = await engine.recorded({ limit: 9 });
    expect(rollbacks).toMatchObject([{ problems: [] }]);
    expect(await repo.git('fsck', '--strict', '--no-dangling')).toBe('');
  });

  it.runIf(isProof)('takes a batch, and signs its commits again where others were faster', async () => {
    const { repo, base, location } = await guarded({ commit: { sign: true }, policy: POLICY });
    const engine = await engineOf(signing(repo), { location });
    const ids = await askAll(engine, ['prod/api', 'prod/web', 'prod/db']);
    // A person who may push past the rule.
    const outside = 'env -u GIT_QUARANTINE_PATH -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES';
    const bump =
      'commit refs/heads/main\\ncommitter Bot <bot@example.com> 1790000000 +0000\\ndata 4\\nbump\\nfrom refs/heads/main^0\\nM 100644 inline two.txt\\ndata 2\\n2\\n\\ndone\\n';
    await writeFile(
      join(repo.gitDir, 'before'),
      `printf '${bump}' | ${outside} git --git-dir='${repo.gitDir}' fast-import --quiet --done --force\n`,
    );
    const results = await engine.rollbacks.executeMany(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(['completed', 'completed', 'completed']);
    const found = await signatures(repo, `${base}..main`);
    expect(found).toHaveLength(7);
    expect(found.map((line) => line[0]).join('')).toBe('NGGGGGG');
    // Each delivery names the commit before it, as that is signed.
    const lines = await log(repo, '%H %(trailers:key=Delivery-Of,valueonly)', `${base}..main`);
    const pairs = lines.slice(1).map((line) => line.split(' '));
    const named = pairs.flatMap(([, of], at) => (of ? [[of, pairs[at - 1]?.[0]]] : []));
    expect(named.map(([of]) => of)).toEqual(named.map(([, before]) => before));
    expect(named).toHaveLength(3);
  });

  it('refuses what is not signed, and is said to need `commit.sign`', async () => {
    const { repo, base, location } = await guarded();
    const engine = await engineOf(signing(repo), { location });
    await expect(publish(engine)).rejects.toMatchObject({
      code: 'REMOTE_REJECTED',
      hint: expect.stringContaining('commit.sign: true') as unknown,
      details: { unsigned: true },
    });
    const signed = await engineOf(signing(repo), { location, sign: true });
    await publish(signed);
    expect(await signatures(repo, `${base}..main`)).toHaveLength(2);
  });
});

describe('commits that are to be signed', () => {
  it('are not begun without a key, and nothing is written', async () => {
    const { repo, base, location } = await guarded({ commit: { sign: true } });
    const local = await engineOf(repo);
    const refs = await repo.git('for-each-ref');
    const objects = await repo.git('count-objects', '-v');
    for (const engine of [local, await engineOf(repo, { location })])
      await expect(publish(engine)).rejects.toMatchObject({
        code: 'SIGNING_FAILED',
        hint: expect.stringContaining('user.signingKey FILE') as unknown,
      });
    expect(await repo.git('for-each-ref')).toBe(refs);
    expect(await repo.git('count-objects', '-v')).toBe(objects);
    expect(await repo.git('rev-parse', 'main')).toBe(base);
  });

  it.runIf(isProof)('of a batch fail each, and are recorded as failed', async () => {
    const { repo, base, location } = await guarded({ commit: { sign: true }, policy: POLICY });
    const engine = await engineOf(repo, { location });
    const ids = await askAll(engine, ['prod/api', 'prod/web']);
    const results = await engine.rollbacks.executeMany(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(['SIGNING_FAILED', 'SIGNING_FAILED']);
    expect(await repo.git('rev-parse', 'main')).toBe(base);
    const { status } = await engine.requests.show({ id: ids[0] ?? '' });
    expect(status).toBe('failed');
  });

  it('as who asks says: whoever executes it signs with a key of their own', async () => {
    const { repo, base, location } = await guarded({ policy: POLICY });
    const asking = await engineOf(repo, { location, sign: true });
    const { requestId, request } = await publish(asking);
    expect(request).toMatchObject({ status: 'approved', sign: true });
    const executing = await engineOf(signing(repo), { location });
    await executing.rollbacks.execute(requestId);
    expect((await signatures(repo, `${base}..main`)).map((line) => line[0])).toEqual(['G', 'G']);
  });

  it.runIf(isProof)('by a configuration from outside are those of the branch as well', async () => {
    const { repo, base, location } = await guarded({ commit: { sign: true } });
    const config = '{ version: 1, layout: { service: [ "apps/{environment}/{service}/**" ] } }';
    await publish(await engineOf(signing(repo), { location, config }));
    expect((await signatures(repo, `${base}..main`)).map((line) => line[0])).toEqual(['G']);
  });
});
