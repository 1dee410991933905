/** What /openapi.json says beside the calls themselves. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { fastifyZodOpenApiTransformers } from 'fastify-zod-openapi';

const TAGS = {
  callers: 'Who is calling.',
  environments: 'What the layout of the repository finds, and what each of it was and is.',
  rollbacks: 'Plans, and requests of the ledger: opened, voted on, executed.',
  live: 'Whether clusters run what the branch holds.',
  deployments: 'Records that revisions were deployed, and what became of them.',
  helm: 'Releases, as Helm shows them: each is a service.',
  platform: 'Records of deployments by image tags, as pipelines call them.',
  'break-glass': 'Sessions in which rollbacks need no approval, and their reviews.',
  holds: 'What automation must not move.',
  audit: 'What the ledger has, and whether the branch bears it out.',
  events: 'What happens to requests, as it happens.',
  operation: 'For whoever runs the server.',
};

const DESCRIPTION = `Rolls a GitOps repository back: plans, requests, approvals, and the record of all of it. One server serves one repository.

Failures are problem documents (RFC 9457): match on \`code\`. Lists have \`next\`, which is \`cursor\` of the next page. \`-\` stands for no tenant.

\`POST /graphql\` and \`/mcp\` are not calls of this document: each describes itself, in the way of its protocol.`;

export function documentOf(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Backtrail', version, description: DESCRIPTION },
      servers: [{ url: '/' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description: 'A token of the server, or one of an issuer that it trusts.',
          },
          cookie: {
            type: 'apiKey',
            in: 'cookie',
            name: 'backtrail',
            description:
              'Of a browser that has logged in with a token (`POST /session`). Called by a loopback address, its name ends with the port: `backtrail-4180`.',
          },
        },
      },
      security: [{ token: [] }, { cookie: [] }],
    },
    ...fastifyZodOpenApiTransformers,
    transform: (call) => {
      const { schema, url } = fastifyZodOpenApiTransformers.transform(call);
      const [method = 'GET'] = [call.route.method].flat();
      const keyed = method === 'POST' && KEYED.has(url) ? { headers: KEY } : {};
      return { schema: { operationId: operationIdOf(method, url), ...schema, ...keyed }, url };
    },
  };
}

/** Calls that make something once with one `Idempotency-Key`. */
const KEYED: ReadonlySet<string> = new Set(
  [
    '/rollbacks',
    '/rollbacks/:id/notes',
    '/incidents',
    '/deployments',
    '/deployments/:id/restore',
    '/break-glass',
    '/holds/resume',
    '/helm/releases/:releaseId/rollback',
    '/helm/releases/:releaseId/rollback/last-successful',
    '/platform/deployments',
  ].map((url) => `/api/v1${url}`),
);

const KEY = {
  type: 'object',
  properties: {
    'Idempotency-Key': {
      type: 'string',
      pattern: '^[!-~]{1,255}$',
      description: 'The same call of the same person with the same key is done once.',
    },
  },
};

/** `getEnvironmentsHistory`, `patchDeploymentsById`: the same for as long as the address is. */
function operationIdOf(method: string, url: string): string {
  const parts = url.split('/').filter((part) => part !== '' && part !== 'api' && part !== 'v1');
  const last = parts.at(-1) ?? '';
  const words = parts.filter((part) => !part.startsWith(':')).flatMap((part) => part.split(/\W+/));
  if (last.startsWith(':')) words.push('by', last.slice(1));
  return [
    method.toLowerCase(),
    ...words.map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`),
  ].join('');
}
