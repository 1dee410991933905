/** The page, at each of its addresses: the same file, which asks the API for what the address names. It holds nothing of the repository. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
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
    const isNowhere = routeOptions.url === '/*' ? !isCall(url) : /^[^?]*\/(\?|$)/.test(url);
    if (!isPerson(headers) || !isNowhere) return;
    await reply.code(404).header('cache-control', 'no-store').type(index.type).send(index.body);
  };

const isCall = (url: string): boolean => /^\/(api|assets)\//.test(url);

/** A browser that opens a page; old ones say what they would take, and no more. */
function isPerson(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return /\btext\/html\b/i.test(headers.accept ?? '');
}

/** An address that cannot be decoded (`/e/%E0%A4%A`) is refused by the router before anything else: to a person it is one that leads nowhere. */
export function readableUrl({ url = '/', method, headers }: IncomingMessage): string {
  if (method !== 'GET' || isCall(url) || !isPerson(headers) || isDecodable(url.split('?', 1)[0] ?? ''))
    return url;
  return '/-/unreadable';
}

function isDecodable(path: string): boolean {
  try {
    // Its value is used: a build leaves out a call whose value is not.
    return decodeURIComponent(path) !== '';
  } catch {
    return false;
  }
}

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
