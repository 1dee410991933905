import { chmod, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { confirmation, engineOf } from '../helpers/repositories/engine.ts';
import { fixturesRepo } from '../helpers/repositories/fixtures.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';
import { type Fate, type GitServer, serveGit } from '../helpers/servers/git-http.ts';
import { cloneRepo, createRepo, type Repo } from '../helpers/repositories/repo.ts';

const SCOPE = 'acme/production/api-gateway';

async function remoteRepo(): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  await repo.git('fetch', '--quiet', await fixturesRepo(), '+refs/heads/*:refs/heads/*');
  return repo;
}

async function hook(repo: Repo, name: string, script: string): Promise<void> {
  const file = join(repo.folder, 'hooks', name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

const servers: GitServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** The address of a repository on an http server of its own. */
async function serve(
  remote: Repo,
  fate?: (request: { method: string; url: string }) => Fate,
): Promise<string> {
  const server = await serveGit({ root: dirname(remote.folder), env: remote.env, ...(fate && { fate }) });
  servers.push(server);
  return `${server.url}/repo`;
}

/** Somebody pushes a change of a file to the remote. */
async function pushChange(remote: Repo, path: string, edit: (text: string) => string): Promise<void> {
  const clone = await cloneRepo(remote);
  const text = await clone.git('show', `HEAD:${path}`);
  await clone.commit(
    { [path]: `${edit(text)}\n` },
    { message: 'Somebody else', date: '2026-11-20T12:00:00+00:00' },
  );
  await clone.git('push', '--quiet', 'origin', 'HEAD:main');
}

describe.each(someOf(['file', 'http'], 1))('a remote over %s://', (protocol) => {
  async function engineFor(remote: Repo) {
    const location = protocol === 'file' ? `file://${remote.folder}` : await serve(remote);
    return engineOf(remote, { location });
  }

  it('gets the revert and its manifests in one push, through a mirror of ours', async () => {
    const remote = await remoteRepo();
    const engine = await engineFor(remote);
    const base = await remote.git('rev-parse', 'main');
    const result = await engine.execute(confirmation(await engine.plan({ scope: SCOPE })));
    expect(result.status).toBe('completed');
    expect((await remote.git('rev-list', '--first-parent', `${base}..main`)).split('\n')).toEqual([
      result.deliveryCommit,
      result.commit,
    ]);
    expect(await remote.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  });

  it.runIf(isProof)(
    'keeps what a hook of the server refuses unpublished, and says which rule it was',
    async () => {
      const remote = await remoteRepo();
      await hook(remote, 'pre-receive', 'echo "rule 7: production is frozen" >&2; exit 1');
      const engine = await engineFor(remote);
      const base = await remote.git('rev-parse', 'main');
      const request = confirmation(await engine.plan({ scope: SCOPE }));
      await expect(engine.execute(request)).rejects.toMatchObject({
        code: 'REMOTE_REJECTED',
        message: expect.stringContaining('rule 7: production is frozen') as unknown,
      });
      expect(await remote.git('rev-parse', 'main')).toBe(base);
    },
  );

  it.runIf(isProof)('lands on a branch that moved in another scope since the plan', async () => {
    const remote = await remoteRepo();
    const engine = await engineFor(remote);
    const request = confirmation(await engine.plan({ scope: SCOPE }));
    await pushChange(
      remote,
      'tenants/globex/production/services/api-gateway/service.yaml',
      (text) => `${text}\n# moved`,
    );
    const result = await engine.execute(request);
    expect(result.status).toBe('completed');
    expect(result.base).not.toBe(request.base);
    expect(
      await remote.git('show', 'main:tenants/globex/production/services/api-gateway/service.yaml'),
    ).toContain('# moved');
  });

  it.runIf(isProof)('lands when the branch moves in the moment before the push', async () => {
    const remote = await remoteRepo();
    const engine = await engineFor(remote);
    const request = confirmation(await engine.plan({ scope: SCOPE }));
    let moved = false;
    const result = await engine.execute(request, {
      onStep: async ({ step }) => {
        if (step !== 'delivered' || moved) return;
        moved = true;
        await pushChange(
          remote,
          'tenants/globex/production/services/api-gateway/service.yaml',
          (text) => `${text}\n# moved`,
        );
      },
    });
    expect(moved).toBe(true);
    expect(result.status).toBe('completed');
    expect((await remote.git('log', '--format=%s', '-3', 'main')).split('\n')[2]).toBe('Somebody else');
  });

  it.runIf(isProof)('gets nothing and PLAN_CHANGED when the scope itself moved since the plan', async () => {
    const remote = await remoteRepo();
    const engine = await engineFor(remote);
    const request = confirmation(await engine.plan({ scope: SCOPE }));
    await pushChange(remote, 'tenants/acme/production/services/api-gateway/service.yaml', (text) =>
      text.replace(/replicas: .*/, 'replicas: 9'),
    );
    const tip = await remote.git('rev-parse', 'main');
    await expect(engine.execute(request)).rejects.toMatchObject({ code: 'PLAN_CHANGED' });
    expect(await remote.git('rev-parse', 'main')).toBe(tip);
  });

  it('that is away for a while gives REMOTE_UNAVAILABLE, and the same request lands once it is back', async () => {
    const remote = await remoteRepo();
    const engine = await engineFor(remote);
    const request = confirmation(await engine.plan({ scope: SCOPE }));
    const away = `${remote.folder}.away`;
    const onStep = async ({ step }: { step: string }) => {
      if (step === 'delivered') await rename(remote.folder, away);
    };
    await expect(engine.execute(request, { onStep })).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
    await rename(away, remote.folder);
    const result = await engine.execute(request);
    expect(result.status).toBe('completed');
    expect(await remote.git('rev-list', '--count', `${request.base}..main`)).toBe('2');
  });
});

describe('a push whose answer is lost', () => {
  it('is found on the branch by the retry, and not repeated', async () => {
    const remote = await remoteRepo();
    await remote.git('config', 'http.receivepack', 'true');
    let lose = true;
    const location = await serve(remote, ({ method, url }) =>
      lose && method === 'POST' && url.includes('git-receive-pack') ? 'drop-answer' : 'serve',
    );
    const engine = await engineOf(remote, { location });
    const request = confirmation(await engine.plan({ scope: SCOPE }));
    await expect(engine.execute(request)).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
    expect(await remote.git('rev-list', '--count', `${request.base}..main`)).toBe('2');
    lose = false;
    const result = await engine.execute(request);
    expect(result).toMatchObject({ status: 'completed', commit: await remote.git('rev-parse', 'main~1') });
    expect(await remote.git('rev-list', '--count', `${request.base}..main`)).toBe('2');
  });
});
