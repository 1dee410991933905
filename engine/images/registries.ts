/** Asks registries for images, side by side; an answer is kept for a minute. */
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { Dispatcher } from 'undici';
import type { Clock, ImageAnswer, ImageRegistries } from '../model/index.ts';
import type { Registry } from './allowed.ts';
import { isLoopback, PrivateAddress, publicLookup } from './connection.ts';
import { readCredentials } from './credentials.ts';
import { askManifest } from './manifest.ts';
import { type ImageReference, parseImage } from './reference.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const KEPT_MS = 60_000;
/** For one image with its redirects and its token, and for a connection. */
const ANSWER_MS = 10_000;
const CONNECT_MS = 5000;
const SIDE_BY_SIDE = 8;
const MOST_IMAGES = 500;
const MOST_KEPT = 5000;

const HUB = ['registry-1.docker.io', 'auth.docker.io'] as const;

/**
 * `env`: Docker's configuration (`DOCKER_CONFIG`, `HOME`), proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`). A registry's
 * own authority is read from `certs.d/HOST/*.crt` in `/etc/docker` and in `~/.config/docker`.
 */
export function createRegistries(
  env: Environment,
  listed: ReadonlyMap<string, Registry>,
  clock: Pick<Clock, 'now'>,
): ImageRegistries {
  const kept = new Map<string, { readonly at: number; readonly answer: ImageAnswer }>();
  const answer = async (image: string, ways: Ways, signal: AbortSignal | undefined) => {
    const known = kept.get(image);
    if (known && clock.now() - known.at < KEPT_MS) return known.answer;
    const reference = parseImage(image);
    if (reference === null) return unchecked('it is not the name of an image');
    const registry = listed.get(reference.registry);
    if (!registry) return unchecked(`${reference.registry} is not listed in BACKTRAIL_REGISTRIES`);
    const found = await askOne(env, reference, registry, ways, signal);
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(image, { at: clock.now(), answer: found });
    return found;
  };
  return {
    async ask(images, signal) {
      const wanted = [...new Set(images)];
      const answers = new Map<string, ImageAnswer>();
      const ways = await openWays(env, listed);
      const rest = wanted.slice(0, MOST_IMAGES);
      for (const image of wanted.slice(MOST_IMAGES))
        answers.set(image, unchecked(`only ${MOST_IMAGES} images are asked for at once`));
      const takeNext = async () => {
        for (let image = rest.shift(); image !== undefined; image = rest.shift())
          answers.set(image, await answer(image, ways, signal));
      };
      try {
        await Promise.all(Array.from({ length: SIDE_BY_SIDE }, takeNext));
      } finally {
        await ways.close();
      }
      return answers;
    },
  };
}

async function askOne(
  env: Environment,
  image: ImageReference,
  registry: Registry,
  ways: Ways,
  outer: AbortSignal | undefined,
): Promise<ImageAnswer> {
  const host = registry.host === 'docker.io' ? HUB[0] : registry.host;
  const limit = AbortSignal.timeout(ANSWER_MS);
  const signal = outer ? AbortSignal.any([outer, limit]) : limit;
  const ask = (protocol: string) =>
    askManifest({
      image,
      origin: `${protocol}://${host}`,
      credentials: () => readCredentials(env, registry.host),
      dispatcher: (target) => ways.to(target),
      signal,
    });
  try {
    const mayBePlain = registry.protocol === null && isLoopback(new URL(`https://${host}`).hostname);
    if (!mayBePlain) return await ask(registry.protocol ?? 'https');
    return await ask('https').catch((error: unknown) => {
      if (speaksNoTls(error)) return ask('http');
      throw error;
    });
  } catch (error) {
    outer?.throwIfAborted();
    return unchecked(
      limit.aborted ? `the registry gave no answer in ${ANSWER_MS / 1000} s` : reasonOf(error),
    );
  }
}

const speaksNoTls = (error: unknown) =>
  error instanceof Error &&
  'code' in error &&
  /^(?:EPROTO|ERR_SSL_|UND_ERR_SOCKET|ECONNRESET)/.test(String(error.code));

const unchecked = (reason: string): ImageAnswer => ({ state: 'unchecked', reason });

/** Codes and our own clauses alone: what a server writes is not repeated. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the registry cannot be asked';
  const cause: unknown = error.cause ?? error;
  if (cause instanceof PrivateAddress) return cause.message;
  const code = 'code' in error ? String(error.code) : '';
  if (/CERT|SIGNED|UNABLE_TO/.test(code)) return `the certificate of the registry is not trusted (${code})`;
  if (code !== '') return `the registry cannot be reached (${code})`;
  return error.message;
}

interface Ways {
  to(host: string): { readonly dispatcher: Dispatcher; readonly isListed: boolean };
  close(): Promise<void>;
}

/** Listed hosts go where the system or a proxy leads; all others only to public addresses. */
async function openWays(env: Environment, listed: ReadonlyMap<string, Registry>): Promise<Ways> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const limits = {
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
    connections: 4,
    maxResponseSize: 1024 * 1024,
  };
  // An address leaves its protocol's own port out.
  const hosts = new Set([...listed.keys()].flatMap((host) => [host, new URL(`https://${host}`).host]));
  if (hosts.has('docker.io')) for (const host of HUB) hosts.add(host);
  const others = new Agent({ ...limits, connect: { lookup: publicLookup, timeout: CONNECT_MS } });
  const agents = new Map<string, Dispatcher>();
  const authorities = new Map<string, string[]>();
  for (const host of hosts) authorities.set(host, await readAuthorities(env, host));
  const proxies = {
    httpProxy: env['http_proxy'] || env['HTTP_PROXY'] || '',
    httpsProxy: env['https_proxy'] || env['HTTPS_PROXY'] || '',
    noProxy: env['no_proxy'] || env['NO_PROXY'] || '',
  };
  const agentOf = (host: string) => {
    const known = agents.get(host);
    if (known) return known;
    const ca = authorities.get(host) ?? [];
    const trust = ca.length > 0 ? { ca: [...rootCertificates, ...ca] } : {};
    const connect = { ...trust, timeout: CONNECT_MS };
    const made = new EnvHttpProxyAgent({ ...limits, ...proxies, connect, requestTls: connect });
    agents.set(host, made);
    return made;
  };
  return {
    to: (host) => {
      const isListed = hosts.has(host);
      return { dispatcher: isListed ? agentOf(host) : others, isListed };
    },
    async close() {
      await Promise.all([others, ...agents.values()].map((agent) => agent.destroy()));
    },
  };
}

/** As Docker keeps them: docs.docker.com, "Verify repository client with certificates". */
async function readAuthorities(env: Environment, host: string): Promise<string[]> {
  const own = join(
    env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'),
    'docker/certs.d',
    host,
  );
  const found: string[] = [];
  for (const folder of [join('/etc/docker/certs.d', host), own]) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names)
      if (name.endsWith('.crt')) found.push(await readFile(join(folder, name), 'utf8').catch(() => ''));
  }
  return found.filter(Boolean);
}
