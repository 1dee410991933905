import { BacktrailError, type Clock, type HostNaming } from '../model/index.ts';
import type { Connection } from './http.ts';
import type { Place } from './place.ts';
import type { CodeHost } from '../model/index.ts';

export interface HostOpening {
  /** Of the repository, as git fetches from it. */
  readonly address: string;
  readonly naming: HostNaming;
  /** The file that BACKTRAIL_HOSTS names; null: none. */
  readonly hostsFile: string | null;
  /** Proxies: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. A private authority comes from NODE_EXTRA_CA_CERTS, which Node reads itself. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** What one answer may take; 30 s. */
  readonly answerMs?: number;
}

const ANSWER_MS = 30_000;

/**
 * The code host of a repository. Nothing is asked yet, and no token is read; the client of its kind is loaded here.
 *
 * @throws HOST_NOT_ALLOWED, INVALID_REQUEST for the operator's file, CONFIG_INVALID for `host` of the configuration
 */
export async function openHost(opening: HostOpening): Promise<CodeHost> {
  const { address, naming, hostsFile, env, clock } = opening;
  if (hostsFile === null || hostsFile === '')
    throw new BacktrailError('HOST_NOT_ALLOWED', 'The operator lists no code host.');
  const [{ readHosts, readToken }, { findPlace }, { connect }] = await Promise.all([
    import('./operator.ts'),
    import('./place.ts'),
    import('./http.ts'),
  ]);
  const place = findPlace(address, naming, await readHosts(hostsFile));
  const { credentials, kind, name, api } = place;
  const authorization =
    credentials.kind === 'app'
      ? null
      : async () => `${kind === 'gitea' ? 'token' : 'Bearer'} ${await readToken(name, credentials.file)}`;
  const answerMs = opening.answerMs ?? ANSWER_MS;
  return create({ place, connection: connect({ name, api, env, clock, authorization, answerMs }), clock });
}

async function create(context: { place: Place; connection: Connection; clock: Clock }): Promise<CodeHost> {
  const { kind } = context.place;
  if (kind === 'github') return (await import('./kinds/github.ts')).createGithub(context);
  if (kind === 'gitlab') return (await import('./kinds/gitlab.ts')).createGitlab(context);
  return (await import('./kinds/gitea.ts')).createGitea(context);
}
