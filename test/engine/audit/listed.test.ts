import { beforeAll, describe, expect, it } from 'vitest';
import { makeStyle } from '../../../cli/print/style.ts';
import { logText } from '../../../cli/print/history.ts';
import { ask, createTeam, stageOf } from '../../helpers/people/requests.ts';
import { LEDGER } from '../../helpers/people/scene.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { copyRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { type Rewriting, rewrite } from './scene.ts';
import { someOf } from '../../helpers/run/proof.ts';

const team = createTeam();
const line = (key: string, value: string): Rewriting => ({
  text: (commit) => commit.replace(new RegExp(`^${key}: .*$`, 'm'), `${key}: ${value}`),
});

describe('the log of one rollback that somebody approved', () => {
  let repo: Repo;
  let signers: string;
  let commit = '';
  let events: string[];
  beforeAll(async () => {
    const { jane, bob, janes, bobs, worker, ...stage } = await stageOf(team);
    ({ repo, signers } = stage);
    const { id } = await ask(janes, jane);
    await bobs.requests.approve({ id, actor: bob });
    commit = (await worker.requests.executeRequest(id)).commit ?? '';
    events = (await repo.git('rev-list', '--reverse', LEDGER)).split('\n');
  });
  const logOf = async (of: Repo, list: string | null = signers) => {
    const engine = await engineOf(of, { allowedSigners: list });
    return engine.recorded({ limit: 50, judged: true });
  };
  /** The codes of what is shown in red. */
  const codesIn = (found: Awaited<ReturnType<typeof logOf>>) =>
    [...logText(makeStyle(false), found).matchAll(/^ +! ([A-Z_]+): /gm)].map(([, code]) => code);

  it('shows no problem where it is honest, and none of what cannot be told without keys', async () => {
    const honest = await logOf(repo);
    expect(honest).toMatchObject({ rollbacks: [{ commit, verdict: 'honest', problems: [] }], unlisted: [] });
    const unknown = await logOf(repo, null);
    expect(unknown.rollbacks).toMatchObject([{ verdict: 'unverifiable', problems: [] }]);
    const plain = await (await engineOf(repo)).recorded({ limit: 50 });
    expect(plain.rollbacks[0]).not.toHaveProperty('verdict');
  });

  const own = 'apps/prod/api/app.yaml';
  it.each(
    someOf<[string, string, Rewriting]>(
      [
        [
          'a byte elsewhere',
          'PATH_ADDED',
          { files: { 'apps/dev/api/app.yaml': { mode: '100644', content: 'image: v3\n' } } },
        ],
        [
          'a byte in the file of its scope',
          'CONTENT_DIFFERS',
          { files: { [own]: { mode: '100644', content: 'image: v1\nreplicas: 2\n' } } },
        ],
        ['its file removed', 'CONTENT_DIFFERS', { files: { [own]: null } }],
        [
          'another mode',
          'MODE_DIFFERS',
          { files: { [own]: { mode: '100755', content: 'image: v1\nreplicas: 1\n' } } },
        ],
        [
          'another approver',
          'TRAILER_DIFFERS',
          line('Approval', 'Approved by carol@example.com (quorum: 1/1)'),
        ],
        [
          'the approval taken out',
          'TRAILER_MISSING',
          { text: (text) => text.replace(/^Approval: .*\n/m, '') },
        ],
        ['another author', 'TRAILER_DIFFERS', line('Author', 'carol@example.com')],
        ['another reason', 'TRAILER_DIFFERS', line('Justification', 'Nothing is wrong')],
        ['another digest', 'DIGEST_DIFFERS', line('Rollback-Plan', `sha256:${'0'.repeat(64)}`)],
        ['another environment', 'LEDGER_DIFFERS', line('Rollback-Environment', 'dev')],
        ['another service', 'LEDGER_DIFFERS', line('Service', 'web')],
        ['a target that is no commit', 'TARGET_NOT_ON_LINE', line('Rollback-Target', '1'.repeat(40))],
        ['another base', 'BASE_DIFFERS', line('Rollback-Base', '1'.repeat(40))],
        ['a made-up event of the ledger', 'LEDGER_MISSING', line('Rollback-Ledger', '1'.repeat(40))],
        ['another request', 'LEDGER_MISSING', line('Rollback-Request-ID', `rbk-${'0'.repeat(26)}`)],
        [
          'a doubled request id',
          'TRAILER_REPEATED',
          {
            text: (text) =>
              text.replace(/^(Rollback-Request-ID: .*)$/m, `$1\nRollback-Request-ID: rbk-${'0'.repeat(26)}`),
          },
        ],
        [
          'another date',
          'DATE_DIFFERS',
          { text: (text) => text.replace(/^(author .*> )\d+/m, '$1946684800') },
        ],
      ],
      6,
    ),
  )('shows %s', async (_, code, change) => {
    const tampered = await rewrite(repo, commit, change);
    expect(codesIn(await logOf(tampered.repo))).toContain(code);
  });

  it('shows another event of the ledger in a trailer, and a commit picked onto the branch again', async () => {
    const other = await rewrite(repo, commit, line('Rollback-Ledger', events[0] ?? ''));
    expect(codesIn(await logOf(other.repo))).toContain('APPROVAL_MISSING');
    const copy = await copyRepo(repo);
    const again = `${await copy.git('cat-file', 'commit', commit)}\n`.replace(
      /^parent .*$/m,
      `parent ${commit}`,
    );
    const picked = await copy.gitWith({ input: again }, ['hash-object', '-t', 'commit', '-w', '--stdin']);
    await copy.git('update-ref', 'refs/heads/main', picked);
    expect(codesIn(await logOf(copy))).toEqual(expect.arrayContaining(['REQUEST_REPEATED', 'BASE_DIFFERS']));
  });

  it('shows that the commit was taken off the branch, or its trailers out of it', async () => {
    const off = await copyRepo(repo);
    await off.git('update-ref', 'refs/heads/main', `${commit}^`);
    expect(codesIn(await logOf(off))).toEqual(['COMMIT_MISSING']);
    const silent = await rewrite(repo, commit, { text: (text) => text.replace(/\n\n[^]*/, '\n\nFix\n') });
    expect(codesIn(await logOf(silent.repo))).toEqual(['COMMIT_MISSING']);
  });
});
