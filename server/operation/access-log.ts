/** One line of the log a call: by its route's pattern, as the address itself may hold what is nobody's business. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../../workers/index.ts';
import { addressOf } from '../limits.ts';
import type { Metrics } from './metrics.ts';

export function callLog({ logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics }) {
  /** Waits for the end of the call, which also comes where the caller went away. */
  return (request: FastifyRequest, { raw }: FastifyReply): void => {
    const begun = performance.now();
    // Once the connection is closed, nobody knows any more.
    const address = addressOf(request);
    raw.once('close', () => {
      const { method, caller } = request;
      const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
      const status = raw.headersSent ? raw.statusCode : 0;
      const durationMs = Math.round(performance.now() - begun);
      metrics.call({ method: knownMethod(method), route, status: String(status) }, durationMs / 1000);
      const line = { method, route, status, durationMs, caller: caller?.name ?? null, address };
      // Probes come every few seconds, for ever.
      if (PROBES.has(route) && status < 400) logger.debug(line, 'call');
      else logger.info({ ...line, ...(!raw.writableFinished && { cut: true }) }, 'call');
    });
  };
}

const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const knownMethod = (method: string) => (METHODS.has(method) ? method : 'other');
