/** One port for the API and for git over HTTP, as the hosts have it: authentication, the log of calls, and the faults. */
import { once } from 'node:events';
import { createServer as createSecureServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { serveBackend } from '../git-http.ts';
import { type Answer, type Call, createFaults, type Fields } from './faults.ts';

export interface Dialect {
  /** Of every path: `/api/v3`. */
  readonly base: string;
  /** The headers of every answer. */
  readonly headers: Readonly<Record<string, string>>;
  answer(call: Call): Promise<Answer>;
  /** The token that a call carries; null where it carries none. */
  tokenOf(call: Call): string | null;
  readonly unauthorised: Answer;
}

export async function listen(options: {
  /** Of the bare repository, and the path that it has on the host: `acme/config`. */
  readonly folder: string;
  readonly repository: string;
  readonly env: Readonly<Record<string, string>>;
  readonly dialect: (origin: string) => Dialect;
  readonly isToken: (token: string, call: Call) => boolean;
  /** PEM: it speaks HTTPS then, and nothing else. */
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  /** After a push. */
  readonly onPush: () => Promise<unknown>;
}) {
  const calls: Call[] = [];
  const faults = createFaults();
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    void serve(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end(String(error));
    });
  };
  const { tls } = options;
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const name = `127.0.0.1:${address.port}`;
  const origin = `${tls === undefined ? 'http' : 'https'}://${name}`;
  const dialect = options.dialect(origin);

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin);
    const git = gitPath(url.pathname);
    const path = git === null ? apiPath(url.pathname) : url.pathname;
    const body = git === null ? await bodyOf(request) : {};
    const call: Call = {
      method: request.method ?? 'GET',
      path,
      query: Object.fromEntries(url.searchParams),
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([key, value]) => [key, String(value)]),
      ),
      body,
      isGit: git !== null,
      status: 0,
    };
    calls.push(call);
    const effects = faults.take(call);
    for (const effect of effects) if (effect.kind === 'wait') await effect.until(call);
    const [effect] = effects.filter(({ kind }) => kind !== 'wait');
    if (effect?.kind === 'drop') return void request.socket.destroy();
    if (effect?.kind === 'answer') {
      const { answer } = effect;
      return send(response, call, typeof answer === 'function' ? answer(call) : answer);
    }
    if (git !== null) return serveGit({ request, response, call, path: git, isLost: effect !== undefined });
    const answer = await answerOf(call);
    if (effect?.kind === 'lose') return void request.socket.destroy();
    send(response, call, answer, effect?.kind === 'cut');
  }

  async function answerOf(call: Call): Promise<Answer> {
    const token = dialect.tokenOf(call);
    if (token === null || !options.isToken(token, call)) return dialect.unauthorised;
    return dialect.answer(call);
  }

  function send(response: ServerResponse, call: Call, answer: Answer, isCut = false): void {
    const isJson = answer.body !== undefined && typeof answer.body !== 'string';
    const body = isJson ? JSON.stringify(answer.body) : typeof answer.body === 'string' ? answer.body : '';
    call.status = answer.status;
    response.writeHead(answer.status, {
      ...dialect.headers,
      'content-type': isJson ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8',
      ...(answer.status !== 304 && answer.status !== 204 && { 'content-length': Buffer.byteLength(body) }),
      ...answer.headers,
    });
    if (!isCut) return void response.end(body);
    response.write(body.slice(0, Math.floor(body.length / 2)), () => response.destroy());
  }

  async function serveGit(git: {
    request: IncomingMessage;
    response: ServerResponse;
    call: Call;
    path: string;
    isLost: boolean;
  }): Promise<void> {
    const { request, response, call, path, isLost } = git;
    const [, basic = ''] = /^Basic (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const [, password = ''] = /^[^:]*:([^]*)$/.exec(Buffer.from(basic, 'base64').toString()) ?? [];
    if (!options.isToken(password, call)) {
      call.status = 401;
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const { env, folder: root } = options;
    await serveBackend({ request, response, options: { root, env }, silent: isLost, path });
    call.status = isLost ? 0 : response.statusCode;
    if (call.path.endsWith('/git-receive-pack')) await options.onPush();
  }

  /** What lies behind the address of the repository; null: nothing of git's. */
  function gitPath(path: string): string | null {
    const [, of, rest] = /^\/(.+?)(?:\.git)?(\/info\/refs|\/git-(?:upload|receive)-pack)$/.exec(path) ?? [];
    return of === options.repository && rest !== undefined ? rest : null;
  }

  const apiPath = (path: string) =>
    path.startsWith(`${dialect.base}/`) ? path.slice(dialect.base.length) : path;

  return {
    name,
    origin,
    calls,
    faults,
    base: dialect.base,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const fields = z.record(z.string(), z.unknown());

async function bodyOf(request: IncomingMessage): Promise<Fields> {
  const content = await text(request);
  return content === '' ? {} : (fields.safeParse(JSON.parse(content)).data ?? {});
}
