/** The host of the tests on a copy of one repository, asked by plain fetch and git. */
import { closeAfterFile, closeAfterTest } from '../../helpers/run/lifetime.ts';
import { copyRepo, createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { type Host, type HostOptions, startHost } from '../../helpers/servers/host/host.ts';

export const TRAILERS = 'Rollback-Id: 1\nRollback-Engine: 3';

const REVERT = { name: 'Ada', email: 'ada@example.com' };

export const BRANCH = 'backtrail/1';

let template: Promise<Repo> | undefined;

/** Made once a file. */
async function makeTemplate(): Promise<Repo> {
  closeAfterFile(() => (template = undefined));
  const made = await createRepo({ bare: true });
  await made.replay([
    { files: { 'apps/web.yaml': 'image: a\n', 'apps/api.yaml': 'image: a\n' }, message: 'Start' },
    { files: { 'apps/web.yaml': 'image: b\n' }, message: 'Deliver b' },
  ]);
  await made.git('branch', BRANCH, 'main');
  await made.replay(
    [
      {
        files: { 'apps/web.yaml': 'image: a\n' },
        message: `Roll web back\n\nWhy.\n\n${TRAILERS}\n`,
        author: REVERT,
      },
      { files: { 'rendered/web.yaml': 'image: a\n' }, message: 'Deliver web\n', author: REVERT },
    ],
    BRANCH,
  );
  return made;
}

export let repo: Repo;

export let host: Host;

export async function start(options: Omit<HostOptions, 'bare'>): Promise<void> {
  repo = await copyRepo(await (template ??= makeTemplate()));
  host = await startHost({ ...options, bare: repo.folder });
  closeAfterTest(() => host.close());
}

export interface Response {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const response = await fetch(`${host.api}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...authorization(),
      ...headers,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') && text !== '';
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

export const authorization = () =>
  host.kind === 'gitlab' ? { 'private-token': host.token } : { authorization: `token ${host.token}` };

export const messageOf = (commit: string) => repo.git('log', '-1', '--format=%B', commit);

export const trailersOf = (commit: string) => repo.git('log', '-1', '--format=%(trailers)', commit);

export const tip = (branch = 'main') => repo.git('rev-parse', `refs/heads/${branch}`);

export const push = (...refs: string[]) => repo.git('push', '--quiet', host.authenticated, ...refs);
