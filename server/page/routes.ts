/** The page, at each of its addresses: the same file, which asks the API for what the address names. It holds nothing of the repository. */
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { BOUNDS } from '../bounds.ts';
import type { Page, PageFile } from './files.ts';

const ENVIRONMENT = '/e/:tenant/:environment';
const PLACES = [ENVIRONMENT, `${ENVIRONMENT}/:service`];
const TABS = ['overview', 'history', 'rollback', 'compare', 'drift'];

/** As console/app.tsx has them. */
const PAGES: readonly string[] = [
  '/',
  ...PLACES,
  ...PLACES.flatMap((place) => TABS.map((tab) => `${place}/${tab}`)),
  '/requests',
  '/requests/:id',
  '/holds',
  '/audit',
  '/incident',
];

const YEAR = 31_536_000;

const tooLong = () => Object.assign(new Error('The address is too long.'), { statusCode: 414 });

export function addPage(app: FastifyInstance, { index, assets }: Page): void {
  // Whoever follows a link of a chat or a mail comes from another site, and gets what anybody may read.
  const options = { schema: { hide: true }, config: { page: true } } as const;
  const nowhere = sayNowhere(index);
  const { maxParamLength: parameterLength = BOUNDS.parameterLength } = app.initialConfig.routerOptions ?? {};
  for (const url of PAGES)
    app.get(url, { ...options, ...(url !== '/' && { onRequest: nowhere }) }, (request, reply) =>
      answer(request, reply.header('cache-control', 'no-cache'), index),
    );
  app.get('/*', { ...options, onRequest: nowhere }, ({ url }, reply) => {
    // The router takes it for none of a call's parameters.
    if (url.split(/[/?]/).some((part) => part.length > parameterLength)) throw tooLong();
    return reply.callNotFound();
  });
  for (const [name, file] of assets)
    app.get(`/assets/${name}`, options, (request, reply) =>
      answer(request, reply.header('cache-control', `public, max-age=${YEAR}, immutable`), file),
    );
}

/** Who follows a link that leads nowhere, or has a slash at its end, is told so by the page; a call is refused as everywhere. */
const sayNowhere =
  (index: PageFile): onRequestAsyncHookHandler =>
  async ({ url, headers, routeOptions }, reply) => {
    const isPerson = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
    const isNowhere = routeOptions.url === '/*' ? !/^\/(api|assets)\//.test(url) : /^[^?]*\/(\?|$)/.test(url);
    if (!isPerson || !isNowhere) return;
    await reply.code(404).header('cache-control', 'no-store').type(index.type).send(index.body);
  };

function answer(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  void reply.header('etag', file.etag).header('vary', 'accept-encoding');
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
  void reply.type(file.type);
  const isZipped = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(request.headers['accept-encoding'] ?? '');
  return isZipped ? reply.header('content-encoding', 'gzip').send(file.zipped()) : reply.send(file.body);
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A file of the page: links of other sites may lead to it. */
    page?: boolean;
  }
}
