/**
 * Every kind of tampering on every honest rollback to which it applies: each is found, at its commit, with a problem that says what; `npm test` tries
 * some of each.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { allowedSigners, createIdentity } from '../../../helpers/people/signing.ts';
import { engineOf } from '../../../helpers/repositories/engine.ts';
import { runs } from '../../../helpers/run/proof.ts';
import type { Case, Story } from './case.ts';
import { KINDS } from './kinds/kinds.ts';
import { type Stage, tell, wrongIn } from './runner.ts';
import { STORIES } from './stories.ts';
import { GROUPS, type Kind } from './tampering.ts';

/** Of so many one, a prime number, so that kinds and cases are mixed; the stories with signatures in them take longest. */
const every = ({ isLong }: Story) => runs(1, isLong ? 211 : 97);
const LONGEST_MS = 4 * 3_600_000;
const START = Number(process.env['BACKTRAIL_TEST_SEED'] ?? 0);

interface Pair {
  readonly kind: Kind;
  readonly of: Case;
}

/** What hosts merge is looked at in a test of its own as well. */
const told = STORIES.filter(({ isElsewhere }) => runs(1, 0) === 1 || isElsewhere !== true);

describe.each(told)('an audit of what was tampered with: $name', (story) => {
  const pairs = KINDS.flatMap((kind) =>
    story.cases.filter((of) => kind.applies(of)).map((of): Pair => ({ kind, of })),
  );
  const step = every(story);
  const chosen = pairs.filter((_, index) => index % step === START % step);
  let stage: Stage;
  beforeAll(async () => {
    stage = await tell(story);
  });

  it('finds nothing wrong before', async () => {
    const report = await stage.whole();
    expect(report.rows.flatMap(({ problems }) => problems)).toEqual([]);
    expect(report.ledger.problems).toEqual([]);
    expect(report.honest).toBeGreaterThanOrEqual(story.cases.length);
    // What is said of a case beforehand, and what a kind therefore does to it, is so.
    for (const of of story.cases.filter(({ how }) => how === 'push'))
      expect({ of: of.name, keys: stage.keys(of) }).toEqual({ of: of.name, keys: of.trailers });
  });

  it.each(GROUPS)(
    'finds each change: %s',
    async (group) => {
      const wrong = [];
      for (const { kind, of } of chosen.filter((pair) => pair.kind.group === group))
        wrong.push(...(await wrongIn(stage, kind, of)));
      expect(wrong).toEqual([]);
    },
    // More than a thousand audits one after the other, on a machine that may have other work.
    LONGEST_MS,
  );

  const approved = story.cases.filter(({ hasVotes }) => hasVotes);
  it.runIf(approved.length > 0)(
    'counts only votes of trusted keys, and cannot tell without a list',
    async () => {
      await stage.whole();
      const stranger = await createIdentity({ name: 'Eve', email: 'eve@example.com' });
      for (const [list, code] of [
        [await allowedSigners([stranger]), 'APPROVAL_MISSING'],
        [null, 'KEYS_MISSING'],
      ] as const) {
        const auditor = await engineOf(stage.repo, { allowedSigners: list });
        const { rows } = await auditor.audit.verify({ range: 'HEAD~8..' });
        const wrong = rows.filter(({ problems }) => !problems.some((problem) => problem.code === code));
        expect(rows.length).toBeGreaterThan(3);
        expect(wrong).toEqual([]);
      }
    },
  );
});
