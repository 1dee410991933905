import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import {
  cloneRepo,
  createRepo,
  isolatedEnv,
  type Repo,
  temporaryFolder,
} from '../../helpers/repositories/repo.ts';
import { type Diagnosis, diagnose } from '../../helpers/program/doctor.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { type GitServer, serveGit } from '../../helpers/servers/git-http.ts';

interface Remote {
  readonly repo: Repo;
  readonly server: GitServer;
  readonly url: string;
  look(): Promise<Diagnosis>;
}

/** Served over http as a host does it; the server's own configuration says what it lets people do. */
async function remote(
  options: { settings?: readonly (readonly [string, string])[]; login?: boolean; user?: string } = {},
): Promise<Remote> {
  const root = await temporaryFolder();
  const repo = await createRepo({ bare: true, folder: join(root, 'config.git') });
  const config = 'version: 1\nlayout: { service: [ "apps/{environment}/{service}.yaml" ] }\n';
  await repo.replay([{ files: { '.backtrail/config.yaml': config, 'apps/production/web.yaml': 'a: 1\n' } }]);
  for (const [key, value] of options.settings ?? []) await repo.git('config', key, value);
  const login = options.login === true ? { login: { user: 'jane', password: 'right' } } : {};
  const server = await serveGit({ root, env: repo.env, ...login });
  onTestFinished(() => server.close());
  const url = `${server.url.replace('//', `//${options.user ?? ''}`)}/config.git`;
  const { env } = await isolatedEnv();
  const look = () => diagnose({ folder: root, env }, { args: ['--repo', url] });
  return { repo, server, url, look };
}

const refsOf = ({ repo }: Remote) => repo.git('for-each-ref');

it('asks a server for leave to push, and pushes nothing', async () => {
  const at = await remote();
  const before = await refsOf(at);
  const found = await at.look();
  expect(found.code).toBe(0);
  expect(found.one('push')).toMatchObject({ status: 'ok', message: expect.stringContaining('lets us push') });
  expect(found.one('push').message).toContain('cannot be asked by a dry run');
  expect(found.one('atomic').status).toBe('ok');
  expect(await refsOf(at)).toBe(before);
  expect(at.server.requests.some((request) => request.includes('service=git-receive-pack'))).toBe(true);
  expect(
    at.server.requests.filter((request) => request.startsWith('POST') && request.includes('receive-pack')),
  ).toEqual([]);
});

it('blocks where the server lets us read and not push, until it does', async () => {
  const at = await remote({ settings: [['http.receivepack', 'false']] });
  const found = await at.look();
  expect(found.code).toBe(3);
  expect(found.one('repository').status).toBe('ok');
  expect(found.one('push')).toMatchObject({
    status: 'fail',
    hint: expect.stringContaining('credentials that may write'),
    details: { code: 'REMOTE_DENIED' },
  });
  await at.repo.git('config', 'http.receivepack', 'true');
  expect((await at.look()).one('push').status).toBe('ok');
});

it('tells of a server without atomic push, and its hint gives it one', async () => {
  const at = await remote({ settings: [['receive.advertiseAtomic', 'false']] });
  const found = await at.look();
  expect([found.code, found.one('push').status]).toEqual([0, 'ok']);
  const { status, hint = '' } = found.one('atomic');
  expect([status, hint]).toEqual([
    'warn',
    expect.stringContaining('git config receive.advertiseAtomic true'),
  ]);
  await at.repo.git('config', 'receive.advertiseAtomic', 'true');
  expect((await at.look()).one('atomic').status).toBe('ok');
});

it('blocks where the login is not right, and shows no password', async () => {
  const at = await remote({ login: true, user: 'jane:wrong-s3cret@' });
  const found = await at.look();
  expect(found.code).toBe(3);
  expect(found.one('repository')).toMatchObject({ status: 'fail', details: { code: 'REMOTE_DENIED' } });
  expect(found.one('git').status).toBe('ok');
  expect(JSON.stringify(found.checks)).not.toContain('s3cret');
  expect((await (await remote({ login: true, user: 'jane:right@' })).look()).one('push').status).toBe('ok');
});

it('blocks where nobody answers, and looks at the machine all the same', async () => {
  const { env } = await isolatedEnv();
  const folder = await temporaryFolder();
  const found = await diagnose({ folder, env }, { args: ['--repo', 'http://127.0.0.1:1/x.git'] });
  expect(found.code).toBe(3);
  expect(found.one('repository')).toMatchObject({ details: { code: 'REMOTE_UNAVAILABLE' } });
  for (const name of ['git', 'node', 'cache', 'disk', 'identity']) expect(found.one(name).status).toBe('ok');
});

it.runIf(isProof)('asks the upstream of a clone, for that is where its rollbacks are published', async () => {
  const at = await remote();
  const clone = await cloneRepo({ ...at.repo, folder: at.url });
  const look = () => diagnose(clone);
  const found = await look();
  expect(found.code).toBe(0);
  expect(found.one('upstream')).toMatchObject({
    status: 'ok',
    message: expect.stringContaining('upstream of main'),
  });
  expect(found.one('push').message).toContain('The server lets us push');
  await clone.commit({ mine: 'x' });
  expect((await look()).one('upstream').message).toContain('has commits that main at origin does not have');
  await at.repo.git('config', 'http.receivepack', 'false');
  expect((await look()).one('push')).toMatchObject({ status: 'fail', details: { code: 'REMOTE_DENIED' } });
  await at.server.close();
  const away = await look();
  expect(away.code).toBe(3);
  for (const name of ['remote', 'push'])
    expect(away.one(name)).toMatchObject({ status: 'fail', details: { code: 'REMOTE_UNAVAILABLE' } });
  expect(away.one('remote').message).toContain('What is said below is as of');
  // As it was fetched, when there was none.
  expect(away.of('ledger')).toEqual([]);
  for (const name of ['config', 'layout', 'patterns', 'locks']) expect(away.one(name).status).toBe('ok');
});

it.runIf(isProof)('says that the upstream of a clone was never reached, and looks at the rest', async () => {
  const at = await remote();
  const clone = await cloneRepo({ ...at.repo, folder: at.url });
  await at.server.close();
  const found = await diagnose(clone);
  expect(found.code).toBe(3);
  expect(found.one('upstream')).toMatchObject({ status: 'fail', details: { code: 'REMOTE_UNAVAILABLE' } });
  for (const name of ['config', 'layout', 'patterns', 'locks']) expect(found.one(name).status).toBe('ok');
});
