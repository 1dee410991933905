/** Records of what was deployed, and the way back to one of them. */
import { z } from 'zod';
import { idsOf } from '../idempotency.ts';
import { foundIn } from '../../engine/index.ts';
import { answers, callerOf, readerOf, type Routes, tagged, taggedAnswers } from './route.ts';
import { answerOpened } from '../opening.ts';
import { toOptions } from '../schemas/ask.ts';
import {
  deployment,
  deploymentExists,
  deploymentRecord,
  deployments,
  deploymentsQuery,
  deploymentStatus,
  existsQuery,
  typedDeploymentId,
  restorable,
  restoreAsk,
} from '../schemas/deployments.ts';
import { pageOf } from '../schemas/paging.ts';
import { opened } from '../schemas/opened.ts';
import { namedScope, requireNamedScope } from '../schemas/scope.ts';

const params = z.object({ id: typedDeploymentId });

export const deploymentRoutes: Routes = (app, input) => {
  const { engine } = input;
  const describe = (summary: string) => ({ summary, tags: ['deployments'] });
  app.get(
    '/deployments',
    {
      schema: {
        ...describe('Records of deployments, newest first'),
        querystring: deploymentsQuery,
        response: taggedAnswers({ 200: deployments }),
      },
    },
    async (request, reply) => {
      const { status, limit, cursor, ...names } = request.query;
      const { tenant, environment, service } = names;
      const isOfTenant = tenant !== undefined && names.scope === undefined && !environment && !service;
      const scope = isOfTenant ? undefined : namedScope(names);
      const found = await engine.deployments.list({
        ...(isOfTenant && { tenant: tenant === '-' ? null : tenant }),
        ...(scope !== undefined && { scope }),
        ...(status && { statuses: status }),
        ...(cursor !== undefined && { after: cursor }),
        reader: callerOf(request).person,
        limit: limit + 1,
      });
      const all =
        cursor === undefined
          ? await foundIn(engine, scope, found.deployments, readerOf(request))
          : found.deployments;
      const { page, next } = pageOf(all, { limit, keyOf: ({ id }) => id });
      const { findings } = found;
      return tagged(request, reply, { deployments: page, ...(findings.length > 0 && { findings }), next });
    },
  );
  app.post(
    '/deployments',
    {
      schema: {
        ...describe('Record a deployment, or the next status of one'),
        body: deploymentRecord,
        response: answers({ 201: deployment }),
      },
    },
    async (request, reply) => {
      const { status, commit, images, note, migration, id, source, ...names } = request.body;
      const recorded = await input.keys.once(request, reply, (key) =>
        engine.deployments.record({
          ...(key && { opens: idsOf(key).deployment, onRepeated: key.replayed }),
          scope: requireNamedScope(names),
          status,
          source,
          ...(commit && { commit }),
          ...saidOf({ images, note, migration }),
          ...(id && { id }),
          actor: callerOf(request).person,
        }),
      );
      return reply.code(201).header('location', `/api/v1/deployments/${recorded.id}`).send(recorded);
    },
  );
  app.get(
    '/deployments/exists',
    {
      schema: {
        ...describe('Whether an image was recorded, by a record that counts'),
        querystring: existsQuery,
        response: taggedAnswers({ 200: deploymentExists }),
      },
    },
    async (request, reply) => {
      const { image } = request.query;
      const reader = callerOf(request).person;
      const { exists, deployments: naming, findings } = await engine.deployments.exists({ image, reader });
      const more = findings.length > 0 && { findings };
      return tagged(request, reply, { image, exists, deployments: naming, ...more });
    },
  );
  app.get(
    '/deployments/:id',
    { schema: { ...describe('One record'), params, response: taggedAnswers({ 200: deployment }) } },
    async (request, reply) => {
      const reader = callerOf(request).person;
      return tagged(request, reply, await engine.deployments.show({ id: request.params.id, reader }));
    },
  );
  app.patch(
    '/deployments/:id',
    {
      schema: {
        ...describe('The next status of a record'),
        params,
        body: deploymentStatus,
        response: answers({ 200: deployment }),
      },
    },
    async (request) => {
      const { id } = request.params;
      const { status, ...said } = request.body;
      const actor = callerOf(request).person;
      const { scope } = await engine.deployments.show({ id, reader: actor });
      return engine.deployments.record({ scope, id, status, ...saidOf(said), actor });
    },
  );
  app.get(
    '/deployments/:id/restore',
    {
      schema: {
        ...describe('What a restore would ask for; refused where it would be'),
        params,
        response: taggedAnswers({ 200: restorable }),
      },
    },
    async (request, reply) => {
      const reader = callerOf(request).person;
      return tagged(request, reply, await engine.deployments.restorable({ id: request.params.id, reader }));
    },
  );
  app.post(
    '/deployments/:id/restore',
    {
      schema: {
        ...describe('Ask for a rollback to what was deployed then'),
        params,
        body: restoreAsk.nullish(),
        response: answers({ 200: opened, 201: opened, 202: opened }),
      },
    },
    async (request, reply) => {
      const { justification, digest, ...options } = request.body ?? {};
      const { deployment: to, reason } = await engine.deployments.restorable({
        id: request.params.id,
        reader: callerOf(request).person,
      });
      const { tenant, environment, service, commit } = to;
      const scope = { ...(tenant && { tenant }), environment, ...(service && { service }) };
      const said = justification ? `${reason}\n\n${justification}` : reason;
      const ask = { ...toOptions(options), scope, to: commit };
      return answerOpened(input, { request, reply }, ask, { justification: said, digest });
    },
  );
};

/** Without what is null. */
function saidOf({
  images,
  note,
  migration,
}: {
  readonly images?: readonly string[] | undefined;
  readonly note?: string | null | undefined;
  readonly migration?: string | null | undefined;
}) {
  return {
    ...(images && { images }),
    ...(note && { note }),
    ...(migration && { migration }),
  };
}
