import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { createGunzip } from 'node:zlib';

/** What becomes of a request: served, answered with this status, its connection cut, or cut after the body was read. */
export type Fate = 'serve' | 'drop' | 'drop-answer' | 'hang' | number;

export interface GitServer {
  /** `http://127.0.0.1:port`; a repository `x.git` below the root is `${url}/x.git`. */
  readonly url: string;
  /** `METHOD path?query` of every request, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Serves every repository below `root` by `git http-backend`, on loopback: reading and pushing. */
export async function serveGit(options: {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  /** Asks for basic authentication. */
  readonly login?: { readonly user: string; readonly password: string };
  /** Called before each request: the place to move a branch in mid-push, or to let the server die. */
  readonly fate?: (request: { method: string; url: string }) => Fate | Promise<Fate>;
}): Promise<GitServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/' } = request;
    requests.push(`${method} ${url}`);
    void answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const { login } = options;
    if (login !== undefined && !authorised(request, login)) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const fate = (await options.fate?.({ method, url })) ?? 'serve';
    if (fate === 'hang') return;
    if (fate === 'drop') request.socket.destroy();
    else if (typeof fate === 'number') response.writeHead(fate).end();
    else await serveBackend({ request, response, options, silent: fate === 'drop-answer' });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function authorised(request: IncomingMessage, login: { user: string; password: string }): boolean {
  const expected = Buffer.from(`${login.user}:${login.password}`).toString('base64');
  return request.headers.authorization === `Basic ${expected}`;
}

/** The CGI of `git help http-backend`: environment in, headers and body out. */
export async function serveBackend(call: {
  request: IncomingMessage;
  response: ServerResponse;
  options: { root: string; env: Readonly<Record<string, string>> };
  silent: boolean;
  /** Below the root; that of the request where absent. */
  path?: string;
}): Promise<void> {
  const { request, response, options, silent } = call;
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...options.env,
      GIT_PROJECT_ROOT: options.root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(call.path ?? url.pathname),
      REQUEST_METHOD: request.method ?? 'GET',
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      REMOTE_USER: 'test',
      REMOTE_ADDR: '127.0.0.1',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
  });
  child.stdin.on('error', () => undefined);
  const gzip = request.headers['content-encoding'] === 'gzip';
  (gzip ? request.pipe(createGunzip()) : request).pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  if (silent) request.socket.destroy();
  else send(Buffer.concat(chunks), response);
}

function send(output: Buffer, response: ServerResponse): void {
  const end = output.indexOf('\r\n\r\n');
  const head = output.subarray(0, Math.max(end, 0)).toString('latin1');
  let status = end < 0 ? 500 : 200;
  for (const line of head.split('\r\n')) {
    const [name = '', value = ''] = line.split(/:\s*/, 2);
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else if (name !== '') response.setHeader(name, value);
  }
  response.writeHead(status).end(output.subarray(end + 4));
}
