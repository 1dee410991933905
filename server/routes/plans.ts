/** What a rollback would change; nothing is written. */
import { answers, callerOf, readerOf, type Routes } from './route.ts';
import { planAsk, toPlanAsk } from '../schemas/ask.ts';
import { gatedPlan } from '../schemas/plan.ts';

export const planRoutes: Routes = (app, { engine }) => {
  app.post(
    '/plans',
    {
      schema: {
        summary: 'What a rollback would change',
        tags: ['rollbacks'],
        body: planAsk,
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
