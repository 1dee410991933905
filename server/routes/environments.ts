/** What the layout finds, and what each of it was and is. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { BacktrailError, formatCoordinates } from '../../engine/index.ts';
import { readerOf, type Routes, tagged, taggedAnswers } from './route.ts';
import { comparison, environments, environmentView, history, shown } from '../schemas/history.ts';
import { environmentParams, list, scopeOf, serviceParams } from '../schemas/names.ts';

const PLACE = '/environments/:tenant/:environment';
const within = z.strictObject({ service: z.string().optional(), field: list.optional() });
const page = z.strictObject({
  field: list.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(20),
  cursor: z
    .string()
    .regex(/^v[1-9]\d{0,9}$/, 'It is not a `next` of another page.')
    .optional(),
});

export const environmentRoutes: Routes = (app, { engine }) => {
  const describe = (summary: string) => ({ summary, tags: ['environments'] });
  app.get(
    '/environments',
    {
      schema: {
        ...describe('Tenants, environments and services'),
        response: taggedAnswers({ 200: environments }),
      },
    },
    async (request, reply) => {
      const { environments: found, tenants, findings } = await engine.survey(readerOf(request));
      const value = { environments: found, tenants, ...(findings.length > 0 && { findings }) };
      return tagged(request, reply, value);
    },
  );
  app.get(
    PLACE,
    {
      schema: {
        ...describe('One environment'),
        params: environmentParams,
        response: taggedAnswers({ 200: environmentView }),
      },
    },
    async (request, reply) => {
      const [scope, reading] = [scopeOf(request.params), readerOf(request)];
      const found = (await engine.environments(reading)).find((each) => nameOf(each) === scope);
      if (found !== undefined) {
        const { request: mayRequest, askers } = await engine.asking({ scope, ...reading });
        return tagged(request, reply, { scope, ...found, may: { request: mayRequest }, askers });
      }
      // Says which of its names is not known, or may not be read.
      await engine.history({ scope, limit: 1, ...reading });
      throw new BacktrailError('ENVIRONMENT_UNKNOWN', `There is no environment ${scope} on the branch now.`);
    },
  );
  const historyOf = async (
    request: FastifyRequest,
    scope: string,
    { field = [], limit, cursor }: z.output<typeof page>,
  ) => {
    const before = cursor === undefined ? {} : { before: Number(cursor.slice(1)) };
    const {
      scope: found,
      total,
      revisions,
      findings,
    } = await engine.history({ scope, fields: field, limit, ...before, ...readerOf(request) });
    const last = revisions.at(-1)?.version ?? 1;
    return {
      scope: formatCoordinates(found),
      ...(found.fields && { fields: found.fields }),
      total,
      revisions,
      ...(findings.length > 0 && { findings }),
      next: revisions.length === limit && last > 1 ? `v${last}` : null,
    };
  };
  app.get(
    `${PLACE}/history`,
    {
      schema: {
        ...describe('Revisions of an environment, newest first'),
        params: environmentParams,
        querystring: page,
        response: taggedAnswers({ 200: history }),
      },
    },
    async (request, reply) =>
      tagged(request, reply, await historyOf(request, scopeOf(request.params), request.query)),
  );
  app.get(
    `${PLACE}/services/:service/history`,
    {
      schema: {
        ...describe('Revisions of a service, newest first'),
        params: serviceParams,
        querystring: page,
        response: taggedAnswers({ 200: history }),
      },
    },
    async (request, reply) =>
      tagged(request, reply, await historyOf(request, scopeOf(request.params), request.query)),
  );
  app.get(
    `${PLACE}/revisions/:revision`,
    {
      schema: {
        ...describe('What a revision holds, masked'),
        params: environmentParams.extend({ revision: z.string().min(1).max(255) }),
        querystring: within.extend({
          files: z
            .enum(['true', 'false'])
            .optional()
            .describe('`false`: only which revision it is; no files.'),
        }),
        response: taggedAnswers({ 200: shown }),
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const scope = scopeOf({ ...params, service: query.service });
      const found = await engine.show({
        scope,
        revision: params.revision,
        fields: query.field ?? [],
        ...readerOf(request),
      });
      const { commit, version } = found.revision;
      const files = query.files === 'false' ? [] : found.files;
      const value = { scope: formatCoordinates(found.scope), commit, version, files };
      return tagged(request, reply, value);
    },
  );
  app.get(
    `${PLACE}/compare`,
    {
      schema: {
        ...describe('From one revision to another, or to what is there now'),
        params: environmentParams,
        querystring: within.extend({ from: z.string().min(1), to: z.string().min(1).optional() }),
        response: taggedAnswers({ 200: comparison }),
      },
    },
    async (request, reply) => {
      const { service, field = [], from, to } = request.query;
      const scope = scopeOf({ ...request.params, service });
      const found = await engine.compare({
        scope,
        from,
        fields: field,
        ...(to !== undefined && { to }),
        ...readerOf(request),
      });
      const value = {
        scope: formatCoordinates(found.scope),
        from: found.from.commit,
        fromVersion: found.from.version,
        to: found.to.commit,
        toVersion: found.to.version,
        changes: found.changes,
      };
      return tagged(request, reply, value);
    },
  );
};

const nameOf = ({ tenant, environment }: { readonly tenant?: string; readonly environment: string }) =>
  formatCoordinates({ ...(tenant !== undefined && { tenant }), environment });
