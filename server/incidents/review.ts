/** The open requests of an incident, looked at and decided on at once, as `request approve --incident` does. */
import type { z } from 'zod';
import { recordable } from '../../engine/index.ts';
import { executionFailed } from '../../workers/index.ts';
import {
  type Decision,
  executableAfter,
  findReview,
  readAgain,
  type ReviewItem,
  reviewPlans,
  voteOnAll,
} from '../../workers/incident/index.ts';
import { answers, callerOf, type RouteInput, type Routes } from '../routes/route.ts';
import { answerItems, executeAll, goneOf, namedOf, type On } from './items.ts';
import { incidentParams, incidentPlans, incidentReviewed, incidentVotes } from './schemas.ts';

const ONE = '/incidents/:id';

export const incidentReviewRoutes: Routes = (app, input) => {
  const { engine } = input;
  const describe = (summary: string, description: string) => ({
    summary,
    description,
    tags: ['rollbacks'],
    params: incidentParams,
  });
  app.get(
    `${ONE}/plans`,
    {
      schema: {
        ...describe(
          'What the open requests of an incident would change now',
          'All of it from one look at the branch, for whoever is to decide on them. `error`: why the caller could not approve it.',
        ),
        response: answers({ 200: incidentPlans }),
      },
    },
    async (request) => {
      const { person: reader } = callerOf(request);
      const { id: incident } = request.params;
      const items = await findReview(engine, { incident, reader, decision: 'approved', revisions: true });
      return reviewPlans(incident, items);
    },
  );
  for (const [act, decision, done] of DECISIONS)
    app.post(
      `${ONE}/${act}`,
      {
        schema: {
          ...describe(
            `${act === 'approve' ? 'Approve' : 'Reject'} requests of an incident at once`,
            `${done} The votes are one commit of the ledger. Each is judged by itself: a row says \`voted\`, or in \`error\` why there is none. Where not one vote was written, that is the answer, with the rows in \`details.rollbacks\`.`,
          ),
          body: incidentVotes,
          response: answers({ 200: incidentReviewed, 202: incidentReviewed }),
        },
      },
      async (request, reply) => {
        const { person: actor } = callerOf(request);
        const on = { incident: request.params.id, actor, decision };
        const items = await decide(input, on, request.body, goneOf(reply));
        return answerItems(reply, on.incident, items);
      },
    );
};

const DECISIONS = [
  [
    'approve',
    'approved',
    '200: what has enough approvals is executed. 202: some of it is executed later than an answer waits.',
  ],
  ['reject', 'rejected', '200: they are rejected, or have this vote.'],
] as const satisfies readonly (readonly [string, Decision, string])[];

async function decide(
  input: RouteInput,
  on: On & { readonly decision: Decision },
  { votes, comment }: z.output<typeof incidentVotes>,
  gone: AbortSignal,
): Promise<readonly ReviewItem[]> {
  const { engine } = input;
  const { incident, actor, decision } = on;
  const open = await findReview(engine, { incident, reader: actor, decision });
  const ids = votes.map(({ id }) => id);
  const items = await namedOf(input, { ...on, ids, unfit: 'REQUEST_NOT_PENDING' }, open);
  await voteOnAll(engine, items, {
    actor,
    decision,
    seen: new Map(votes.map(({ id, digest, rendered }) => [id, { digest, ...(rendered && { rendered }) }])),
    ...(comment && { comment: recordable(comment) }),
  });
  if (decision === 'approved')
    await executeAll(input, await executableAfter(engine, items, on), gone, executionFailed);
  await readAgain(engine, items, on);
  return items;
}
