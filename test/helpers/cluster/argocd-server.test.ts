import { Agent, fetch } from 'undici';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { closeAfterFile } from '../run/lifetime.ts';
import { type ArgoServer, startArgoServer } from './argocd-server.ts';
import { clusterObjects } from './cluster-objects.ts';
import { argoApplication } from './objects/argo-application.ts';

const cluster = clusterObjects();
let argo: ArgoServer;
let agent: Agent;

beforeAll(async () => {
  argo = await startArgoServer(cluster, { namespaces: ['team'] });
  agent = new Agent({ connect: { ca: argo.authority } });
  closeAfterFile(() => agent.close());
  cluster.apply(argoApplication({ name: 'web', project: 'shop', revision: 'a'.repeat(40) }));
  cluster.apply(
    argoApplication({ name: 'web', namespace: 'team', project: 'team', revision: 'b'.repeat(40) }),
  );
});
beforeEach(() => argo.recover());

async function ask(path: string, token: string | null = argo.token): Promise<[number, unknown]> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${argo.url}/api/v1/applications/${path}`, { headers, dispatcher: agent });
  return [response.status, await response.json()];
}

describe('the HTTP API of Argo CD', () => {
  it('gives an Application by its name, its project and its namespace', async () => {
    const [status, body] = await ask('web?project=shop');
    expect(status).toBe(200);
    expect(body).toMatchObject({ metadata: { name: 'web' }, status: { sync: { revision: 'a'.repeat(40) } } });
    expect((await ask('web?project=team&appNamespace=team'))[1]).toMatchObject({
      metadata: { namespace: 'team' },
    });
    expect((await ask('web?project=team&appNamespace=other'))[0]).toBe(403);
  });

  it('hides what is missing from whoever names no project', async () => {
    const denied = { error: 'permission denied', code: 7, message: 'permission denied' };
    expect(await ask('none')).toEqual([403, denied]);
    expect(await ask('none?project=shop')).toEqual([404, expect.objectContaining({ code: 5 })]);
  });

  it('gives a token of one project nothing of another', async () => {
    const token = argo.projectToken('team');
    expect((await ask('web?project=team&appNamespace=team', token))[0]).toBe(200);
    expect((await ask('web?project=shop', token))[0]).toBe(403);
    expect((await ask('web?project=team', token))[0]).toBe(404);
    expect((await ask('web', token))[0]).toBe(403);
  });

  it('takes no other token, and none that has expired', async () => {
    expect((await ask('web', null))[0]).toBe(401);
    expect((await ask('web', 'other'))[0]).toBe(401);
    argo.expireTokens();
    expect(await ask('web?project=shop')).toEqual([401, expect.objectContaining({ code: 16 })]);
  });

  it('looks anew where it is asked to', async () => {
    argo.onRefresh = () =>
      void cluster.apply(argoApplication({ name: 'web', project: 'shop', revision: 'c'.repeat(40) }));
    expect((await ask('web?project=shop'))[1]).toMatchObject({
      status: { sync: { revision: 'a'.repeat(40) } },
    });
    expect((await ask('web?project=shop&refresh=normal'))[1]).toMatchObject({
      status: { sync: { revision: 'c'.repeat(40) } },
    });
  });

  it('fails as it is told to', async () => {
    argo.fault({ answer: 'too-many-requests', times: 1 });
    expect(await ask('web?project=shop')).toEqual([429, expect.objectContaining({ code: 8 })]);
    argo.fault({ answer: 'cut', times: 1 });
    await expect(ask('web?project=shop')).rejects.toThrow('terminated');
    expect((await ask('web?project=shop'))[0]).toBe(200);
  });
});
