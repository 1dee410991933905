/** The Platform-shaped face: deployments by their image tags, over the records of deployments. Each call is one of the core's. */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  type DeploymentStatus,
  type Engine,
  findDeployment,
  isFailure,
  type Person,
} from '../../engine/index.ts';
import { idsOf } from '../idempotency.ts';
import { answers, callerOf, type Routes, tagged, taggedAnswers } from '../routes/route.ts';
import { pageOf } from '../schemas/paging.ts';
import { requireNamedScope } from '../schemas/scope.ts';
import {
  historyQuery,
  platformDeployment,
  platformExists,
  platformHistory,
  record,
  rollbackNote,
  tagParams,
  withinQuery,
} from './schemas.ts';
import { toPlatform } from './view.ts';

const ALL = '/platform/deployments';
const OF_TAG = `${ALL}/tag/:imageTag`;
const STATUSES: Readonly<Record<z.output<typeof record>['status'], DeploymentStatus>> = {
  PROPOSED: 'proposed',
  PENDING: 'pending',
  DEPLOYED: 'deployed',
  FAILED: 'failed',
};

export const platformRoutes: Routes = (app, input) => {
  const { engine } = input;
  const describe = (summary: string) => ({ summary, tags: ['platform'] });
  app.get(
    `${OF_TAG}/exists`,
    {
      schema: {
        ...describe('Whether an image tag was deployed, by a record that counts'),
        params: tagParams,
        querystring: withinQuery,
        response: taggedAnswers({ 200: platformExists }),
      },
    },
    async (request, reply) => {
      const asked = { ...askedOf(request), counting: true };
      const [found] = (await engine.deployments.exists(asked)).deployments;
      return tagged(request, reply, {
        exists: found !== undefined,
        deployment: found ? toPlatform(found) : null,
      });
    },
  );
  app.post(
    `${OF_TAG}/rollback`,
    {
      schema: {
        ...describe('Mark the deployment of an image tag as rolled back'),
        description:
          'The record alone: what runs is rolled back by `POST /api/v1/rollbacks`. One that is marked already is answered as it is. 409: it runs in several places (`details.candidates`).',
        params: tagParams,
        querystring: withinQuery,
        body: rollbackNote.nullish(),
        response: answers({ 200: platformDeployment }),
      },
    },
    async (request) => {
      const found = await findDeployment(engine, askedOf(request));
      if (found.status === 'rolled_back') return toPlatform(found);
      const note = request.body?.note;
      const { id, scope } = found;
      const actor = callerOf(request).person;
      const marking = { scope, id, status: 'rolled_back', actor, once: true, ...(note && { note }) } as const;
      return toPlatform(await engine.deployments.record(marking));
    },
  );
  app.get(
    `${ALL}/history`,
    {
      schema: {
        ...describe('Deployments, newest first, with their notes and migrations'),
        querystring: historyQuery,
        response: taggedAnswers({ 200: platformHistory }),
      },
    },
    async (request, reply) => {
      const { limit, cursor, ...names } = request.query;
      const { deployments, findings } = await engine.deployments.list({
        ...filterOf(names),
        ...(cursor !== undefined && { after: cursor }),
        reader: callerOf(request).person,
        limit: limit + 1,
      });
      const { page, next } = pageOf(deployments, { limit, keyOf: ({ id }) => id });
      return tagged(request, reply, {
        deployments: page.map(toPlatform),
        ...(findings.length > 0 && { findings }),
        next,
      });
    },
  );
  app.post(
    ALL,
    {
      schema: {
        ...describe('Record a deployment: the same scope and configuration commit once'),
        description: '201: it is recorded. 200: it was, and is answered as it is.',
        body: record,
        response: answers({ 200: platformDeployment, 201: platformDeployment }),
      },
    },
    async (request, reply) => {
      const { status, configCommit, images, notes, migrations, rollbackOf, ...names } = request.body;
      const { person: actor } = callerOf(request);
      let isRepeated = false;
      const recorded = await input.keys.once(request, reply, async (key) =>
        engine.deployments.record({
          ...(key && { opens: idsOf(key).deployment }),
          onRepeated: () => {
            isRepeated = true;
            key?.replayed();
          },
          scope: requireNamedScope(names),
          status: STATUSES[status],
          once: true,
          source: 'pipeline',
          ...(configCommit && { commit: configCommit }),
          ...(images && { images }),
          ...(notes && { note: notes }),
          ...(migrations && { migration: migrations }),
          ...(rollbackOf && { rollbackOf: await revisionOf(engine, actor, rollbackOf) }),
          actor,
        }),
      );
      void reply.header('location', `/api/v1/deployments/${recorded.id}`);
      return reply.code(isRepeated ? 200 : 201).send(toPlatform(recorded));
    },
  );
};

type Within = z.output<typeof withinQuery>;

const filterOf = ({ tenant, environment, service }: Within) => ({
  ...(tenant !== undefined && { tenant: tenant === '-' ? null : tenant }),
  environment,
  service,
});

function askedOf(
  request: FastifyRequest & { readonly params: z.output<typeof tagParams>; readonly query: Within },
) {
  return {
    image: request.params.imageTag,
    ...filterOf(request.query),
    reader: callerOf(request).person,
  };
}

/** The revision of a record, or of whatever else is named. */
async function revisionOf(engine: Engine, reader: Person, named: string): Promise<string> {
  if (!/^dep-/i.test(named)) return named;
  try {
    return (await engine.deployments.show({ id: named, reader })).commit;
  } catch (error) {
    // A tag may have such a name.
    if (isFailure(error) && error.code === 'DEPLOYMENT_UNKNOWN') return named;
    throw error;
  }
}
