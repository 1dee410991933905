/** What was and what is, over HTTP: the same as the engine says, and as the command line prints. */
import { beforeAll, describe, expect, it } from 'vitest';
import { policedRepo } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';

const PROD = '/api/v1/environments/-/prod';

let api: Api;
let repo: Repo;
beforeAll(async () => {
  repo = await policedRepo();
  for (const tag of ['v3', 'v4']) await repo.commit({ 'apps/prod/api/app.yaml': `image: ${tag}\n` });
  api = await startApi(await engineOf(repo, { lives: 'file' }), { lives: 'file' });
});

describe('reading', () => {
  it('lists revisions in pages', async () => {
    const all = await api.get(`${PROD}/services/api/history`);
    expect(all.body).toMatchObject({ scope: 'prod/api', total: 4, next: null });
    const versions: number[] = [];
    let cursor = '';
    for (let pages = 0; pages < 3; pages += 1) {
      const { body } = await api.get(`${PROD}/services/api/history?limit=2${cursor}`);
      versions.push(...body.revisions.map(({ version }: { version: number }) => version));
      if (body.next === null) break;
      cursor = `&cursor=${body.next}`;
    }
    expect(versions).toEqual([4, 3, 2, 1]);
    expect((await api.get(`${PROD}/history`)).body.total).toBe(4);
  });

  it('shows and compares revisions, and says to whoever has them that nothing changed', async () => {
    const shown = await api.get(`${PROD}/revisions/v3?service=api`);
    expect(shown.body.files[0].text).toBe('image: v3\n');
    const headers = { 'if-none-match': shown.headers.get('etag') ?? '' };
    expect((await api.get(`${PROD}/revisions/v3?service=api`, { headers })).status).toBe(304);
    const { commit, version } = shown.body;
    const bare = await api.get(`${PROD}/revisions/v3?service=api&files=false`);
    expect(bare.body).toEqual({ scope: 'prod/api', commit, version, files: [] });
    const compared = await api.get(`${PROD}/compare?service=api&from=v3`);
    expect(compared.body).toMatchObject({ fromVersion: 3, toVersion: 4 });
    expect((await api.get(PROD)).body).toEqual({
      scope: 'prod',
      environment: 'prod',
      services: ['api'],
      may: { request: { allowed: true } },
      askers: [],
    });
  });

  it.each([
    ['/api/v1/environments/-/nowhere', 404, 'ENVIRONMENT_UNKNOWN'],
    ['/api/v1/environments/acme/prod', 404, 'ENVIRONMENT_UNKNOWN'],
    [`${PROD}/services/nothing/history`, 404, 'SERVICE_UNKNOWN'],
    [`${PROD}/revisions/v99?service=api`, 404, 'REVISION_UNKNOWN'],
    [`${PROD}/history?limit=0`, 400, 'INVALID_REQUEST'],
    [`${PROD}/history?cursor=x`, 400, 'INVALID_REQUEST'],
    ['/api/v1/environments/-/..%2f..%2fetc', 400, 'INVALID_REQUEST'],
    ['/api/v1/environments/-/a%00b', 400, 'INVALID_REQUEST'],
    ['/api/v1/environments/-/%c0%ae', 400, 'INVALID_REQUEST'],
  ])('refuses %s with %i', async (path, status, code) => {
    const answer = await api.get(path);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('plans for whoever calls, and writes nothing', async () => {
    const before = await repo.git('for-each-ref');
    const ask = { environment: 'prod', service: 'api', targetSha: 'previous' };
    const { status, body } = await api.post('/api/v1/plans', ask);
    expect([status, body.targetVersion, body.gate.needsApproval]).toEqual([200, 3, true]);
    expect(body.gate.person.email).toBe('jane@example.com');
    const refused = [
      [{ ...ask, targetSha: '' }, 'targetSha is required'],
      [{ ...ask, mode: 'field', selectedFields: [] }, 'selected fields cannot be empty for field mode'],
      [{ ...ask, mode: 'field', selectedFields: null }, 'selected fields cannot be empty for field mode'],
    ] as const;
    for (const [asked, detail] of refused) {
      const answer = await api.post('/api/v1/plans', asked);
      expect([answer.status, answer.body.detail]).toEqual([400, detail]);
    }
    expect((await api.post('/api/v1/plans', { ...ask, more: 1 })).status).toBe(400);
    expect((await api.post('/api/v1/plans', { ...ask, mode: 'full' })).status).toBe(400);
    expect(await repo.git('for-each-ref')).toBe(before);
  });
});
