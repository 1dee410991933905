/** What is refused before anybody is asked who they are: other hosts, other origins, bodies of another type. */
import type { FastifyRequest } from 'fastify';
import { BacktrailError } from '../engine/index.ts';

export interface Guarding {
  /** Names, with ports, by which the server may be called: another one in `Host` is a name that was bound to its address by somebody else. */
  readonly hosts: () => ReadonlySet<string>;
}

/** Methods of calls that may change something. */
export const WRITES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** @throws ORIGIN_FOREIGN, BODY_UNSUPPORTED */
export function guard(request: FastifyRequest, { hosts }: Guarding): void {
  const { host = '', origin } = request.headers;
  const known = hosts();
  const { headersDistinct, url = '' } = request.raw;
  const names = [
    host,
    ...(headersDistinct['host'] ?? []),
    ...(/^[a-z][\w+.-]*:\/\/([^/?#]*)/i.exec(url)?.slice(1) ?? []),
  ];
  const isAnyHost = request.routeOptions.config.anyHost === true;
  if (!isAnyHost && !names.every((name) => known.has(name.toLowerCase())))
    throw foreign('It was sent to a name that is not one of this server.');
  if (origin !== undefined && !known.has(hostOf(origin)))
    throw foreign('It comes from a page of another origin.');
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isLink(request))
    throw foreign('It comes from a page of another site.');
  const { 'content-type': type, 'content-length': length, 'transfer-encoding': coding } = request.headers;
  const hasBody = coding !== undefined || (length !== undefined && length !== '0');
  if (
    WRITES.has(request.method) &&
    (hasBody || type !== undefined) &&
    !/^application\/json\s*(?:;|$)/i.test(type ?? '')
  )
    throw new BacktrailError('BODY_UNSUPPORTED', 'A body has to be JSON.');
}

/** Somebody follows a link to the page, which holds nothing: what it asks for comes from its own origin. */
const isLink = ({ routeOptions, headers }: FastifyRequest): boolean =>
  routeOptions.config.page === true && headers['sec-fetch-mode'] === 'navigate';

const foreign = (message: string) => new BacktrailError('ORIGIN_FOREIGN', message);

function hostOf(origin: string): string {
  try {
    return new URL(origin).host.toLowerCase();
  } catch {
    return '';
  }
}
