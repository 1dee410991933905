/** What a rollback would change; nothing is written. */
import { answers, callerOf, readerOf, type Routes } from './route.ts';
import { toPlanAsk } from '../schemas/ask.ts';
import { rollbackAsk } from '../schemas/opened.ts';
import { gatedPlan } from '../schemas/plan.ts';

export const planRoutes: Routes = (app, { engine }) => {
  app.post(
    '/plans',
    {
      config: { asks: true },
      schema: {
        summary: 'What a rollback would change',
        tags: ['rollbacks'],
        description:
          'Takes the body of `POST /rollbacks`: what that call asks for besides a plan (`justification`, `digest`, `rendered`, `follows`) is not looked at.',
        body: rollbackAsk,
        response: answers({ 200: gatedPlan }),
      },
    },
    (request) =>
      engine.rollbacks.plan({
        ...toPlanAsk(request.body),
        author: callerOf(request).person,
        ...readerOf(request),
        revisions: true,
        ledger: true,
        pushTest: 'worker',
      }),
  );
};
