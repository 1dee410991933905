/** What only GitHub has: apps, lists that are asked for conditionally, and rulesets. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openHost } from '../../../engine/hosts/open.ts';
import type { CodeHost } from '../../../engine/model/index.ts';
import { createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { closeAfterFile, closeAfterTest } from '../../helpers/run/lifetime.ts';
import { type Host, startHost } from '../../helpers/servers/host/host.ts';

describe('GitHub', () => {
  let repo: Repo;
  let server: Host;
  let folder: string;

  beforeAll(async () => {
    repo = await createRepo({ bare: true });
    await repo.replay([{ files: { 'apps/web.yaml': 'image: a\n' }, message: 'Start' }]);
    await repo.git('branch', 'backtrail/rbk-1', 'main');
    server = await startHost({ kind: 'github', bare: repo.folder });
    closeAfterFile(() => server.close());
    await server.commitOn('backtrail/rbk-1', { files: { 'apps/web.yaml': 'image: b\n' } });
    folder = await temporaryFolder();
    await writeFile(join(folder, 'token'), server.token);
  });
  afterEach(() => {
    vi.useRealTimers();
    server.clearFaults();
    server.calls.splice(0);
  });

  async function open(credentials: string): Promise<CodeHost> {
    const file = join(folder, `hosts-${Math.random()}.yaml`);
    await writeFile(file, `"${server.name}": { kind: github, api: "${server.api}", ${credentials} }\n`);
    const client = await openHost({
      address: server.url,
      naming: { kind: null, repository: null },
      hostsFile: file,
      env: {},
      clock: { now: () => Date.now(), sleep: async () => undefined },
    });
    closeAfterTest(() => client.close());
    return client;
  }
  const create = (client: CodeHost) =>
    client.create({ branch: 'backtrail/rbk-1', into: 'main', title: 'Roll back', body: '', labels: [] });

  it('speaks as an app where one is named, by the installation that has the repository', async () => {
    const { id, key } = server.app();
    await writeFile(join(folder, 'key.pem'), key);
    const client = await open(`app: ${id}:key.pem`);
    const { number } = await create(client);
    await client.read(number);
    const paths = server.calls.map(({ method, path }) => `${method} ${path}`);
    expect(paths.slice(0, 2)).toEqual([
      'GET /repos/acme/config/installation',
      'POST /app/installations/3/access_tokens',
    ]);
    expect(paths.filter((path) => path.endsWith('/access_tokens'))).toHaveLength(1);
    // Later, so that it is no matter of a token that has not reached every server yet.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    server.expireTokens();
    expect(await client.read(number)).toMatchObject({ number });
  });

  it('asks again with another key where that of the app is changed, and shows neither', async () => {
    const { id, key } = server.app();
    const client = await open(`app: ${id}:changed.pem`);
    await expect(client.listOpen()).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await writeFile(join(folder, 'changed.pem'), 'rubbish');
    await expect(client.listOpen()).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.not.stringContaining('rubbish'),
    });
    await writeFile(join(folder, 'changed.pem'), key);
    expect(await client.listOpen()).toHaveLength(1);
  });

  it('reads the token again for each call', async () => {
    const client = await open('token: changing');
    await writeFile(join(folder, 'changing'), 'an-old-token');
    const error: unknown = await client.listOpen().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'HOST_DENIED', details: { status: 401 } });
    await writeFile(join(folder, 'changing'), server.token);
    expect(await client.listOpen()).toHaveLength(1);
  });

  it('asks for a list that has not changed without cost', async () => {
    const client = await open('token: token');
    const first = await client.listOpen();
    expect(await client.listOpen()).toEqual(first);
    await server.edit(first[0]?.number ?? 0, { title: 'Changed' });
    expect((await client.listOpen())[0]?.updatedAt).not.toBe(first[0]?.updatedAt);
    expect(server.calls.map(({ status }) => status)).toEqual([200, 304, 200]);
  });

  it('offers the methods that repository, rulesets and protection all allow', async () => {
    const client = await open('token: token');
    expect((await client.settings('main')).methods).toEqual(['merge', 'rebase', 'squash']);
    server.fail({ match: /rules\/branches/, status: 200, body: [{ type: 'required_linear_history' }] });
    expect((await client.settings('main')).methods).toEqual(['rebase', 'squash']);
    server.fail({ match: /rules\/branches/, status: 200, body: [{ type: 'required_signatures' }] });
    expect(await client.settings('main')).toMatchObject({
      methods: ['merge', 'squash'],
      requiresSignatures: true,
    });
    const rule = { type: 'pull_request', parameters: { allowed_merge_methods: ['squash'] } };
    server.fail({ match: /rules\/branches/, status: 200, body: [rule] });
    expect((await client.settings('main')).methods).toEqual(['squash']);
    await server.change({ methods: ['rebase'] });
    expect((await client.settings('main')).methods).toEqual(['rebase']);
    await server.change({ methods: ['merge', 'rebase', 'squash'] });
  });

  it('does not know whether it may go past rules that it is not shown', async () => {
    const client = await open('token: token');
    await server.change({ mayAdminister: false });
    expect((await client.settings('main')).mayBypass).toBeNull();
    expect((await client.settings('backtrail/rbk-1')).mayBypass).toBe(false);
    await server.change({ protectedBy: 'ruleset', mayBypass: true });
    expect((await client.settings('main')).mayBypass).toBe(true);
    await server.change({ mayBypass: false });
    expect((await client.settings('main')).mayBypass).toBe(false);
    await server.change({ protectedBy: 'protection' });
  });

  it('says that drafts are refused where the repository has none', async () => {
    const client = await open('token: token');
    const { number } = await create(client);
    await server.change({ drafts: false });
    await expect(client.setDraft(number, true)).rejects.toMatchObject({
      code: 'HOST_REFUSED',
      message: expect.stringContaining('Drafts are not supported'),
    });
    await server.change({ drafts: true });
  });
});
