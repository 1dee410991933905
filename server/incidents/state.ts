/** How far an incident is: a row for each of its requests, short enough to be asked for again whenever something happens. */
import { emailKey, type RequestView } from '../../engine/index.ts';
import { commitOf } from '../../workers/incident/index.ts';
import { callerOf, type Routes, tagged, taggedAnswers } from '../routes/route.ts';
import { incidentParams, incidentState } from './schemas.ts';

export const incidentStateRoutes: Routes = (app, { engine, execution }) => {
  app.get(
    '/incidents/:id',
    {
      schema: {
        summary: 'How far an incident is',
        description:
          'All requests that were made under its id and that the caller may read, by scope; none where nothing was asked for yet.',
        tags: ['rollbacks'],
        params: incidentParams,
        response: taggedAnswers({ 200: incidentState }),
      },
    },
    async (request, reply) => {
      const { person: reader } = callerOf(request);
      const { id } = request.params;
      const found = await execution.withJobs(await engine.requests.list({ incident: id, reader }));
      const byScope = found.toSorted((one, other) => (one.scopeName < other.scopeName ? -1 : 1));
      return tagged(request, reply, { id, asked: askedFor(found), rollbacks: byScope.map(rowOf) });
    },
  );
};

/** Who asked, and why: whoever knows the id may have asked for more under it. */
function askedFor(found: readonly RequestView[]) {
  const asked = new Map<
    string,
    { readonly author: RequestView['author']; readonly reason: string; rollbacks: number }
  >();
  for (const { author, justification: reason } of found) {
    const key = JSON.stringify([emailKey(author.email), reason]);
    const known = asked.get(key);
    if (known === undefined) asked.set(key, { author, reason, rollbacks: 1 });
    else known.rollbacks += 1;
  }
  return [...asked.values()];
}

function rowOf(request: RequestView) {
  const { id, scopeName, scope, author, status, target, targetVersion, approval, result } = request;
  const { pullRequest, atomic, problems } = request;
  return {
    requestId: id,
    scope: scopeName,
    ...(scope.fields && { fields: scope.fields }),
    author: author.email,
    status,
    target,
    targetVersion,
    commit: commitOf(request),
    ...(result?.status === 'unchanged' && { unchanged: true as const }),
    ...(status === 'pending' && { approval }),
    ...(pullRequest && { pullRequest }),
    ...(atomic && { atomic: true as const }),
    ...(result?.status === 'failed' && { error: { code: result.code, message: result.message } }),
    ...(problems && { problems }),
  };
}
