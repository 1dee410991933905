/** What no call takes: addresses that are none, other methods, and what is not HTTP. */
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problemOf, type ProblemDocument } from './problem.ts';

/** Before the first call is added: other methods of an address answer 405, with those that it has; other addresses 404. */
export function refuseUnknown(app: FastifyInstance): void {
  const known: { readonly pattern: RegExp; readonly method: string }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`);
    for (const each of [method].flat()) known.push({ pattern, method: each });
  });
  const isKnown = (path: string) => known.some(({ pattern }) => pattern.test(path));
  const refuse = (request: FastifyRequest, reply: FastifyReply) => {
    const path = pathOf(request);
    const allowed = [
      ...new Set(known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)),
    ];
    if (allowed.length > 0) void reply.header('allow', allowed.toSorted().join(', '));
    const bare = path.replace(/\/+$/, '');
    const problem =
      allowed.length > 0
        ? problemWith(405, 'This address takes other methods.')
        : {
            ...problemWith(404, 'There is no such call.'),
            ...(bare !== path && isKnown(bare) && { hint: SLASHED }),
          };
    return reply.code(problem.status).type('application/problem+json').send(problem);
  };
  // The router takes `/deployments/` for `/deployments/:id` without an id.
  app.addHook('preValidation', async (request, reply) => {
    const path = pathOf(request);
    if (path.endsWith('/') && !isKnown(path)) await refuse(request, reply);
  });
  app.setNotFoundHandler(refuse);
}

const pathOf = ({ url }: FastifyRequest) => url.split('?', 1)[0] ?? '';

const SLASHED = 'Leave out the slash at the end of the address.';

/** A connection, with the answer that Node is about to write to it. */
type Connection = Socket & {
  readonly _httpMessage?: {
    readonly headersSent: boolean;
    readonly req: { readonly complete: boolean };
  } | null;
};

/** For what could not be read as a request: an answer, and the end of the connection. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Connection): void {
  const { _httpMessage: answering } = socket;
  // It would be taken for the answer to the request before.
  const isAnswering = answering ? answering.headersSent || answering.req.complete : false;
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  const { status, title, ...rest } = unreadable(error.code);
  const body = JSON.stringify({ ...rest, title, status });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function unreadable(code: string | undefined): ProblemDocument {
  if (code === 'HPE_HEADER_OVERFLOW') return problemOf(refused(431));
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return problemOf(refused(408));
  return problemWith(400, 'This is not a request of HTTP.');
}

/** As the framework refuses it. */
const refused = (statusCode: number) => Object.assign(new Error('refused'), { statusCode });

function problemWith(status: number, detail: string): ProblemDocument {
  return { ...problemOf(refused(status)), detail };
}
