/** `backtrail serve`: one repository over HTTP. */
import type { AddressInfo } from 'node:net';
import { BacktrailError, type Engine, type Person } from '../engine/index.ts';
import { type Logger, takeTurns, withoutLogin } from '../workers/index.ts';
import { createApp } from './app.ts';
import type { Bounds } from './bounds.ts';
import { knownCallers } from './callers/known.ts';
import { oidcCallers } from './callers/oidc.ts';
import { createSessions } from './callers/sessions.ts';
import { createAttempts } from './callers/sign-in/attempts.ts';
import { providersOf } from './callers/sign-in/providers.ts';
import { addSignIn } from './callers/sign-in/routes.ts';
import { singleUser } from './callers/single-user.ts';
import { createExecution } from './execution.ts';
import { createKeys } from './idempotency.ts';
import { closeInTime } from './operation/stop.ts';
import type { OperationSettings } from './operation/operation.ts';
import { PAGE_FOLDER, readPage } from './page/files.ts';
import { addPage } from './page/routes.ts';
import {
  hasAuthentication,
  NO_CONFIGURATION,
  readServerConfiguration,
  type ServerConfiguration,
} from './settings/configuration.ts';
import { failingWithoutPaths, withoutPaths } from './place.ts';
import { withAuthorities } from './settings/authorities.ts';
import { readHooks } from './settings/hooks.ts';
import { isLoopback } from './settings/issuers.ts';
import { defaultState, openState } from './settings/state.ts';
import { readSinks } from './settings/webhooks.ts';
import type { WebhookSettings } from './webhooks/webhooks.ts';

export { defaultState, readServerConfiguration };

export interface ServerSettings extends Omit<OperationSettings, 'metrics'> {
  /** Of the repository that is served; closed by whoever opened it. */
  readonly engine: Engine;
  readonly listen: { readonly host: string; readonly port: number };
  /** Of the worker that runs in the same process (`RunningWorker`); absent: workers run elsewhere. */
  readonly claim?: (() => Promise<(() => void) | null>) | undefined;
  /** By whom it may be called, and how. Absent: single-user mode, on this machine alone. */
  readonly configuration?: ServerConfiguration | undefined;
  /** The folder for what it keeps besides Git: made where it is needed, for its owner alone. */
  readonly state: string;
  /** Whom single-user mode acts for. */
  readonly person: Person;
  readonly logger: Logger;
  readonly version: string;
  readonly random: (bytes: number) => Uint8Array;
  readonly now: () => number;
  /** Of one request; those that are left out are as usual. */
  readonly bounds?: Partial<Bounds> | undefined;
  /** The folder of the page, where it is another one than that of the package. */
  readonly page?: string | undefined;
  /** As usual where absent. */
  readonly webhooks?: Pick<WebhookSettings, 'resolve' | 'backOff'> | undefined;
}

export interface RunningServer {
  /** `http://127.0.0.1:4180` */
  readonly url: string;
  /** Of single-user mode. */
  readonly token: string | null;
  /** Takes no more calls, and ends when those that are under way have ended. */
  close(): Promise<void>;
}

export async function startServer(settings: ServerSettings): Promise<RunningServer> {
  const { listen, person, random, now, configuration = NO_CONFIGURATION } = settings;
  const { tokens, oidc, limits, metrics, folder, trustProxy, graphql, mcp } = configuration;
  const hooks = await readHooks(configuration.hooks, folder);
  const isKnown = hasAuthentication(configuration);
  if (!isKnown && !isLoopback(listen.host)) throw unauthenticated(listen.host);
  const single = isKnown ? null : singleUser({ person, random });
  const sinks = await readSinks(configuration.webhooks, folder);
  const kept = tokens || sinks.length > 0 ? await openState(settings.state) : null;
  const state = tokens ? kept : null;
  const identifyJwt =
    oidc.length === 0 ? null : oidcCallers({ issuers: await withAuthorities(oidc, folder), now });
  const credentials = single ?? knownCallers({ state, identifyJwt, now });
  const sessions = createSessions({ credentials, random, now });
  const signIn = {
    providers: await providersOf(configuration, now),
    attempts: createAttempts({ random, now }),
    random,
  };
  const hosts = new Set<string>();
  // Whoever calls from elsewhere has no business with paths of this machine.
  const engine = isKnown ? withoutPaths(settings.engine) : settings.engine;
  const made = createExecution({ ...settings, engine });
  const execution = isKnown ? failingWithoutPaths(made, engine.location()) : made;
  const app = await createApp({
    ...settings,
    engine,
    callers: sessions,
    sessions,
    limits,
    trustProxy,
    metrics,
    helm: configuration.helm,
    graphql,
    mcp,
    hooks,
    hosts: () => hosts,
    isLocal: isLoopback(listen.host),
    execution,
    keys: createKeys(engine),
    webhooks:
      kept === null || sinks.length === 0
        ? null
        : { ...settings.webhooks, sinks, folder: kept, turn: turnOf(settings) },
  });
  app.addHook('preClose', async () => execution.stop());
  app.addHook('onClose', () => execution.close());
  if (signIn.providers.length > 0) addSignIn(app, { ...signIn, sessions, logger: settings.logger });
  const page = await readPage(settings.page ?? PAGE_FOLDER);
  if (page !== null) addPage(app, page);
  await app.listen(listen).catch((error: unknown) => {
    throw notListening(listen, error);
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = app.server.address() as AddressInfo;
  const own = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  for (const host of [own, 'localhost', '127.0.0.1', '[::1]']) hosts.add(`${host}:${port}`);
  for (const host of configuration.hosts) hosts.add(host).add(`${host}:${port}`);
  return { url: `http://${own}:${port}`, token: single?.token ?? null, close: () => closeInTime(app) };
}

/** Without Redis, servers know nothing of each other. */
const turnOf = ({ redisUrl, engine }: Pick<ServerSettings, 'redisUrl' | 'engine'>) =>
  redisUrl === null ? null : takeTurns({ redisUrl, name: `webhooks of ${withoutLogin(engine.location())}` });

const LISTENING: Readonly<Partial<Record<string, readonly [message: string, hint: string]>>> = {
  EADDRINUSE: ['is in use already', 'Stop what listens there, or choose another port with --listen.'],
  EACCES: ['is not for this account', 'Choose a port above 1023 with --listen.'],
  EADDRNOTAVAIL: ['is not an address of this machine', 'Choose one of its own with --listen.'],
  ENOTFOUND: ['is not an address of this machine', 'Choose one of its own with --listen.'],
};

function notListening({ host, port }: ServerSettings['listen'], error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = LISTENING[code];
  if (known === undefined) return error;
  const [message, hint] = known;
  return new BacktrailError('INVALID_REQUEST', `${host}:${port} ${message}.`, { hint, cause: error });
}

const unauthenticated = (host: string) =>
  new BacktrailError(
    'INVALID_REQUEST',
    `Others can reach ${host}, and nothing says by what the server would know who calls.`,
    {
      hint: 'Configure `oidc` or `tokens: true` in the file that --server-config names (docs/serving.md), or listen on 127.0.0.1.',
    },
  );
