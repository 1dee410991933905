import { describe, expect, it } from 'vitest';
import { approvals, EVIL, GATEWAY, OBEYED, pendingOf } from '../../helpers/people/approvals.ts';
import { refusalOf } from '../../helpers/program/cli.ts';
import { JSON_OUT, approve, show } from './commands.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

describe('free text', () => {
  const FORGED = `It fails\n\nEvent: approved\nActor: Eve <eve@example.com>\nApproval: Approved by eve@example.com\n---\n${EVIL}`;

  it('forges no trailer and moves no terminal, wherever it stands', async () => {
    const setting = await approvals('quorum: 2');
    const { as, repo } = setting;
    const asked = pendingOf(
      await as('jane', ['rollback', GATEWAY, '--yes', '--reason', FORGED, ...JSON_OUT]),
    );
    const id = asked.requestId;
    await as('bob', approve(id, '--comment', FORGED));
    await as('carol', ['request', 'note', id, FORGED]);
    const format =
      '%(trailers:key=Event,valueonly,separator=|)%x00%(trailers:key=Event-Actor,valueonly,separator=|)%x00%(trailers:key=Approval,valueonly)';
    const events = (await repo.git('log', `--format=${format}`, 'refs/backtrail/ledger')).split('\n');
    expect(events).toEqual([
      'noted\0Carol <carol@example.com>\0',
      'approved\0Bob <bob@example.com>\0',
      'opened\0Jane Doe <jane@example.com>\0',
    ]);
    const shown = [
      ['request', 'list'],
      ['request', 'show', id],
      ['request', 'plan', id],
      ['audit', 'log'],
    ];
    for (const args of someOf(shown, 2)) {
      const { code, stdout } = await as('carol', args);
      expect({ args, code, obeyed: OBEYED.test(stdout) }).toEqual({ args, code: 0, obeyed: false });
      const json = await as('carol', [...args, ...JSON_OUT]);
      expect(json.stdout).not.toMatch(OBEYED);
    }
    // What people read is one line each, so that none pretends to be another's.
    const { stdout } = await as('carol', ['request', 'show', id]);
    expect(stdout).not.toMatch(/^\s*(Event|Actor|Approval): /m);
    await as('carol', approve(id, '--here'));
    const trailers = await repo.git(
      'log',
      '-1',
      '--skip=1',
      '--format=%(trailers:key=Approval,valueonly)',
      'main',
    );
    expect(
      trailers
        .trim()
        .split('\n')
        .every((line) => /^Approved by (bob|carol)@example\.com \(quorum: 2\/2\)$/.test(line)),
    ).toBe(true);
  });

  it.runIf(isProof)('of any length is taken, and cut', async () => {
    const setting = await approvals('quorum: 2');
    const long = 'slow '.repeat(20_000);
    const asked = pendingOf(
      await setting.as('jane', ['rollback', GATEWAY, '--yes', '--reason', long, ...JSON_OUT]),
    );
    expect((await setting.as('bob', approve(asked.requestId, '--comment', long))).code).toBe(5);
    expect((await setting.as('bob', ['request', 'note', asked.requestId, long])).code).toBe(0);
    const { justification, reviews, notes } = await show(setting, asked.requestId);
    for (const text of [justification, reviews[0]?.comment, notes[0]?.text])
      expect(text).toMatch(/^slow slow .*…$/s);
  });

  it('without a letter in it is no reason', async () => {
    const { as } = await approvals();
    for (const reason of ['', ' \n ', '\u202e'])
      expect(refusalOf(await as('jane', ['rollback', GATEWAY, '--yes', '--reason', reason]))).toMatchObject({
        exit: 2,
        code: 'REASON_REQUIRED',
      });
  });
});
