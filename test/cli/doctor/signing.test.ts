import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isUnknowable } from '../../../engine/doctor/signing.ts';
import { allowedSigners, createIdentity, type Identity } from '../../helpers/people/signing.ts';
import { backtrail } from '../../helpers/program/cli.ts';
import { diagnose } from '../../helpers/program/doctor.ts';
import { cloneRepo, createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const configOf = (more = '') =>
  `version: 1\nlayout: { service: [ "apps/{environment}/{service}.yaml" ] }\n${more}`;

let jane: Identity;
beforeAll(async () => {
  jane = await createIdentity({ name: 'Jane', email: 'jane@example.com' });
});

/** A repository whose branch takes signed commits alone, and a clone of it. */
async function guarded(
  files: Record<string, string> = { '.backtrail/config.yaml': configOf() },
): Promise<{ bare: Repo; clone: Repo }> {
  const bare = await createRepo({ bare: true });
  await bare.replay([
    { files: { ...files, 'apps/production/web.yaml': 'image: v1\n' } },
    { files: { 'apps/production/web.yaml': 'image: v2\n' } },
  ]);
  const list = await allowedSigners([jane]);
  const hook = `#!/bin/sh
while read -r old new ref; do
  for commit in $(git rev-list "$old..$new"); do
    git -c gpg.ssh.allowedSignersFile='${list}' verify-commit "$commit" 2>/dev/null || { echo 'GitLab: Commit must be signed with a GPG key' >&2; exit 1; }
  done
done
`;
  await writeFile(join(bare.gitDir, 'hooks/pre-receive'), hook, { mode: 0o755 });
  return { bare, clone: await cloneRepo(bare) };
}

describe('a server that takes signed commits alone', () => {
  it('is told of once it has refused a rollback, until it has taken one', async () => {
    const { bare, clone } = await guarded();
    expect((await diagnose(clone)).of('signed commits')).toEqual([]);
    const rollback = ['rollback', 'production/web', '--reason', 'x', '--yes'];
    const refused = await backtrail(clone, rollback);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('commit.sign: true');
    expect(refused.stderr).not.toContain('pull-request');
    expect((await diagnose(clone)).one('signed commits')).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('Commit must be signed with a GPG key') as unknown,
      hint: expect.stringContaining('commit.sign: true') as unknown,
      details: { branch: 'main' },
    });
    const signing = { ...clone, env: { ...clone.env, ...jane.env } };
    const unable = await backtrail(clone, [...rollback, '--sign']);
    expect([unable.code, unable.stderr]).toEqual([3, expect.stringContaining('user.signingKey FILE')]);
    const taken = await backtrail(signing, [...rollback, '--sign']);
    expect([taken.code, taken.stderr]).toEqual([0, expect.stringContaining('verified')]);
    expect(await bare.git('show', 'main:apps/production/web.yaml')).toBe('image: v1');
    expect((await diagnose(clone)).of('signed commits')).toEqual([]);
  });
});

describe('a configuration that `init` commits', () => {
  it.runIf(isProof)('is signed with --sign, where the branch takes nothing else', async () => {
    const { bare, clone } = await guarded({});
    const init = ['init', '--environments', 'production', '--yes'];
    const refused = await backtrail(clone, init);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('Sign it with --sign')]);
    const signing = { ...clone, env: { ...clone.env, ...jane.env } };
    expect((await backtrail(signing, [...init, '--sign'])).code).toBe(0);
    expect(await bare.git('show', 'main:.backtrail/config.yaml')).toContain('version: 1');
  });
});

describe('commits that are signed', () => {
  it('need a key, and a committer whom a host can know', async () => {
    const repo = await createRepo();
    await repo.commit({
      '.backtrail/config.yaml': configOf('commit: { sign: true }\n'),
      'apps/production/web.yaml': 'image: v1\n',
    });
    const [key, committer] = (await diagnose(repo)).of('signed commits');
    expect(key).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('git knows no SSH key') as unknown,
      hint: expect.stringContaining('gpg.format ssh') as unknown,
    });
    expect(committer).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('backtrail@localhost') as unknown,
      hint: expect.stringContaining('GIT_COMMITTER_EMAIL') as unknown,
    });
    const { checks } = await diagnose({ ...repo, env: { ...repo.env, ...jane.env } });
    const signed = checks.filter(({ name }) => name === 'signed commits');
    expect(signed.map(({ status }) => status)).toEqual(['ok', 'warn']);
  });

  it.each([
    'a@localhost',
    'a@host',
    'a@mac.local',
    'a@x.example.com',
    'a@[127.0.0.1]',
    'a@10.0.0.1',
    'a',
    'a@b@c.d',
  ])('by %s are nobody’s that a host can know', (email) => expect(isUnknowable(email)).toBe(true));

  it.each(['jane@acme.io', '12+bot[bot]@users.noreply.github.com', 'a@example.company', 'noreply@local.dev'])(
    'by %s can be somebody’s',
    (email) => expect(isUnknowable(email)).toBe(false),
  );
});
