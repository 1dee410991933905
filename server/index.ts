/** `backtrail serve`: one repository over HTTP. */
import type { AddressInfo } from 'node:net';
import { type Engine, type Person } from '../engine/index.ts';
import type { Logger } from '../workers/index.ts';
import { createApp } from './app.ts';
import { singleUser } from './callers/single-user.ts';
import { closeInTime } from './operation/stop.ts';
import type { OperationSettings } from './operation/operation.ts';

export interface ServerSettings extends OperationSettings {
  /** Of the repository that is served; closed by whoever opened it. */
  readonly engine: Engine;
  readonly listen: { readonly host: string; readonly port: number };
  /** Whom single-user mode acts for. */
  readonly person: Person;
  readonly logger: Logger;
  readonly version: string;
  readonly random: (bytes: number) => Uint8Array;
  readonly now: () => number;
}

export interface RunningServer {
  /** `http://127.0.0.1:4180` */
  readonly url: string;
  /** Of single-user mode. */
  readonly token: string | null;
  /** Takes no more calls, and ends when those that are under way have ended. */
  close(): Promise<void>;
}

const LOOPBACK = /^(?:127\.|localhost$|::1$)/;

export async function startServer(settings: ServerSettings): Promise<RunningServer> {
  const { listen, person, random } = settings;
  const callers = singleUser({ person, random });
  const hosts = new Set<string>();
  const app = await createApp({
    ...settings,
    callers,
    hosts: () => hosts,
    isLocal: LOOPBACK.test(listen.host),
  });
  app.get('/', { schema: { hide: true } }, async (request, reply) => {
    const token = new URL(request.url, 'http://localhost').searchParams.get('token');
    const cookie = token === null ? null : callers.exchange(token);
    if (cookie !== null) void reply.header('set-cookie', cookie);
    return reply.redirect('/openapi.json', 303);
  });
  await app.listen(listen);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = app.server.address() as AddressInfo;
  const own = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  for (const host of [own, 'localhost', '127.0.0.1', '[::1]']) hosts.add(`${host}:${port}`);
  return { url: `http://${own}:${port}`, token: callers.token, close: () => closeInTime(app) };
}
