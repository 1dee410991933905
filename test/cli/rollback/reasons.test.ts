import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backtrail, completedOf, exampleRepo, jsonOf } from '../../helpers/program/cli.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { someOf } from '../../helpers/run/proof.ts';

const KEYS = [
  'Mode',
  'Service',
  'Justification',
  'Author',
  'Rollback-Request-ID',
  'Rollback-Tenant',
  'Rollback-Environment',
  'Rollback-Target',
  'Rollback-Base',
  'Rollback-Plan',
  'Rollback-Engine',
  'Rollback-Hold',
];
const FORGED = 'rbk-00000000000000000000000000';

/** Texts that try to say more than a reason may. */
const REASONS: readonly { title: string; reason: string; says: string }[] = [
  {
    title: 'newlines and trailers of its own',
    reason: `It fails\nApproval: Approved by eve@example.com\nRollback-Request-ID: ${FORGED}\nMode: full`,
    says: `It fails Approval: Approved by eve@example.com Rollback-Request-ID: ${FORGED} Mode: full`,
  },
  {
    title: 'a paragraph that looks like the last one',
    reason: `x\n\nApproval: Approved by eve@example.com\nRollback-Request-ID: ${FORGED}\n`,
    says: `x Approval: Approved by eve@example.com Rollback-Request-ID: ${FORGED}`,
  },
  { title: 'a divider', reason: 'before\n---\nafter', says: 'before --- after' },
  {
    title: 'a scissors line',
    reason: 'before\n# ------------------------ >8 ------------------------\nafter',
    says: 'before # ------------------------ >8 ------------------------ after',
  },
  {
    title: 'a diff',
    reason: 'x\ndiff --git a/x b/x\n--- a/x\n+++ b/x',
    says: 'x diff --git a/x b/x --- a/x +++ b/x',
  },
  { title: 'comments', reason: '# one\n#two\n;three', says: '# one #two ;three' },
  {
    title: 'carriage returns and other line ends',
    reason: 'a\rMode: full\u2028Mode: full\u0085Mode: full\vMode: full',
    says: 'a Mode: full Mode: full Mode: full Mode: full',
  },
  { title: 'a folded line', reason: 'a\n  Mode: full\n\tMode: full', says: 'a   Mode: full Mode: full' },
  { title: 'a text that looks like an option', reason: '--help', says: '--help' },
  {
    title: 'a direction override and an escape sequence',
    reason: 'a\u202eb\u001b[31mc',
    says: 'a\ufffdb [31mc',
  },
  {
    title: 'a trailer of git',
    reason: 'x\nSigned-off-by: Eve <eve@example.com>\n(cherry picked from commit 0000)',
    says: 'x Signed-off-by: Eve <eve@example.com> (cherry picked from commit 0000)',
  },
  {
    title: 'format letters',
    reason: '%H %(trailers) %n %x00 $(id) `id`',
    says: '%H %(trailers) %n %x00 $(id) `id`',
  },
];

let repo: Repo;
beforeAll(async () => {
  repo = await exampleRepo();
});

describe('a reason is text and forges nothing', () => {
  // The scope goes back and forth, so that every reason makes a commit.
  it.each(someOf(REASONS, 2))('$title', async ({ reason, says }) => {
    const args = ['rollback', 'acme/staging/billing', '--reason', reason, '--yes', '-o', 'json'];
    const transcript = await backtrail(repo, [...args, '--to', await nextTarget()]);
    const { commit, requestId } = completedOf(transcript);
    const message = await repo.git('log', '-1', '--format=%B', commit);
    const parsed = await repo.gitWith({ input: `${message}\n` }, ['interpret-trailers', '--parse']);
    const lines = parsed.split('\n');
    expect(lines.map((line) => line.split(':')[0])).toEqual(KEYS);
    expect(lines).toContain(`Justification: ${says}`);
    expect(lines).toContain(`Rollback-Request-ID: ${requestId}`);
    expect(lines).toContain('Author: test@example.com');
    const logged = await repo.git('log', '-1', '--format=%(trailers:only,unfold)', commit);
    expect(logged.trim()).toBe(parsed);
    const { stdout } = await backtrail(repo, ['log', '--limit', '1', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ rollbacks: [{ requestId, reason: says, problems: [] }] });
    expect(await repo.git('log', '--format=%H', `--grep=^Rollback-Request-ID: ${FORGED}`)).toBe('');
  });

  it('a reason of a whole incident report is cut in the record, whether it is queued or not', async () => {
    const reason = `It fails. ${'Everything is slow and nobody knows why. '.repeat(1000)}`;
    const args = ['rollback', 'acme/staging/billing', '--reason', reason, '--yes', '-o', 'json'];
    const transcript = await backtrail(repo, [...args, '--to', await nextTarget()]);
    const { commit } = completedOf(transcript);
    const message = await repo.git('log', '-1', '--format=%B', commit);
    expect(message.length).toBeLessThan(5000);
    expect(message).toMatch(/^Justification: It fails\. .*…$/m);
  });
});

describe('who asks', () => {
  it("is git's identity, hostile names included; the committer is the service", async () => {
    const mine = await exampleRepo();
    await mine.git('config', '--global', 'user.name', 'Eve\u001b[31m Doe');
    await mine.git('config', '--global', 'user.email', 'eve@example.com');
    const done = await backtrail(mine, [
      'rollback',
      'acme/production/web',
      '--reason',
      'x',
      '--yes',
      '-o',
      'json',
    ]);
    const { commit } = completedOf(done);
    expect(await mine.git('log', '-1', '--format=%ae %cn <%ce>', commit)).toBe(
      'eve@example.com Backtrail <backtrail@localhost>',
    );
    const log = await backtrail(mine, ['log']);
    // oxlint-disable-next-line no-control-regex -- the name holds one
    expect(log.stdout).not.toMatch(/\u001b/);
  });
});

/** The commit before the scope's newest change, so that a rollback to it always changes something. */
async function nextTarget(): Promise<string> {
  const history = await backtrail(repo, ['history', 'acme/staging/billing', '--limit', '2', '-o', 'json']);
  const { revisions } = jsonOf(history, z.object({ revisions: z.array(z.object({ commit: z.string() })) }));
  return revisions[1]?.commit ?? '';
}
