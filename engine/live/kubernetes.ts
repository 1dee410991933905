/**
 * What the objects of the delivered manifests say themselves. One is live where it carries what its manifest declares (a workload: its pod
 * template) and its rollout is done as `kubectl rollout status` has it. It names no commit: these fields are all that it knows of a revision.
 */
import type { Observation } from '../model/index.ts';
import { type Judgement, observationOf } from './judgement/judgement.ts';
import { detailQueries, type Details, detailsOf, explained } from './kubernetes/details.ts';
import { type Judged, judgeLook } from './kubernetes/judge.ts';
import { type Look, looksOf } from './kubernetes/looks.ts';
import { secretsOf } from './kubernetes/secrets.ts';
import { sumUp } from './kubernetes/sum-up.ts';
import type { Observer, Seen } from './observer.ts';

export const kubernetes: Observer = {
  source: 'kubernetes',
  isFor: ({ kubernetes }) => kubernetes !== null,
  queries: async (target, context) =>
    looksOf(await context.manifests(target), target).flatMap(({ query }) => query ?? []),
  details: async (seen) => detailQueries(unwellOf(await judgedLooks(seen))),
  async judge(seen): Promise<readonly Observation[]> {
    const { target, context } = seen;
    const subject = { source: 'kubernetes', target, now: context.now } as const;
    const judged = await judgedLooks(seen);
    if (judged.length === 0)
      return [
        observationOf(
          { ...subject, object: 'manifests' },
          nothingToSee((await context.manifests(target)).length),
        ),
      ];
    const details = detailsOf(unwellOf(judged), seen.details);
    const since = Date.parse(target.since);
    const observations = judged.map(({ look, judgement }) =>
      observationOf(
        { ...subject, object: look.object },
        explained(judgement, details.get(look.query?.namespace ?? '') ?? NONE, since),
        secretsOf(look.declared.value),
      ),
    );
    return sumUp(observations, subject);
  },
};

const NONE: Details = { pods: [], events: [] };

interface JudgedLook {
  readonly look: Look;
  readonly judgement: Judged;
}

async function judgedLooks({ target, answers, context }: Seen): Promise<readonly JudgedLook[]> {
  const looks = looksOf(await context.manifests(target), target);
  let next = 0;
  return looks.flatMap((look) => {
    const answer = look.query === null ? undefined : answers[next++];
    const judgement = judgeLook(look, answer);
    return judgement === null ? [] : [{ look, judgement }];
  });
}

const unwellOf = (judged: readonly JudgedLook[]): readonly Look[] =>
  judged.flatMap(({ look, judgement }) => (judgement.unwell === null ? [] : [look]));

const nothingToSee = (declared: number): Judgement => ({
  state: 'unconfirmed',
  code: 'NOTHING_TO_SEE',
  message:
    declared === 0
      ? 'No manifests were delivered for it, so there is nothing to look at.'
      : 'All that was delivered are Secrets, hooks and what has ended: nothing of it says whether it is live.',
});
