/** The Platform-shaped face: deployments by their image tags, over the same records as the core's calls. */
import { beforeAll, describe, expect, it } from 'vitest';
import { configOf } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { copyRepo, createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';

const PLATFORM = '/api/v1/platform/deployments';
const RECORDS = '/api/v1/deployments';
const REF = 'refs/backtrail/deployments';
const LAYOUT = { layout: { service: ['{tenant}/{environment}/{service}/**'] } };
const NO_POLICY = { environments: [] };
const where = (environment: string, service = 'api', tenant = 'acme') => ({ tenant, environment, service });

let repos: readonly Repo[];
let face: Api;
let core: Api;
let commits: readonly string[];
beforeAll(async () => {
  const faced = await createRepo({ bare: true });
  const apps = (tag: string, names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [`${name}/app.yaml`, `image: registry.example.com/api:${tag}\n`]));
  const all = ['acme/prod/api', 'acme/dev/api', 'acme/prod/web', 'globex/prod/api'];
  commits = await faced.replay([
    { files: { '.backtrail/config.yaml': configOf(NO_POLICY, LAYOUT), ...apps('v1', all) } },
    { files: apps('v2', all) },
    { files: apps('v3', ['acme/prod/api']) },
    { files: apps('v1', ['acme/prod/api']) },
  ]);
  repos = [faced, await copyRepo(faced)];
  const [one, other] = await Promise.all(
    repos.map(async (repo) => startApi(await engineOf(repo, { lives: 'file' }), { lives: 'file' })),
  );
  if (one === undefined || other === undefined) throw new Error('two were started');
  [face, core] = [one, other];
});

const mark = (tag: string, query = '') =>
  face.post(`${PLATFORM}/tag/${encodeURIComponent(tag)}/rollback${query}`);
const exists = async (tag: string, query = '') =>
  (await face.get(`${PLATFORM}/tag/${tag}/exists${query}`)).body;
const history = async (query = '') => (await face.get(`${PLATFORM}/history${query}`)).body;

/** All that the records of a repository hold, without ids and times. */
async function recordsIn(repo: Repo): Promise<readonly string[]> {
  const passing = (text: string) =>
    text
      .replace(/\b(dep|evt)-[0-9A-HJKMNP-TV-Z]{26}\b/g, '$1-…')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '…')
      .replace(/"by": "[^"]*"/g, '"by": "…"');
  const log = await repo.git('log', '-p', '--reverse', '--format=commit %an %ae %s', '--no-prefix', REF);
  return passing(log)
    .split('\n')
    .filter((line) => !/^(?:index|diff|[-+]{3}) /.test(line));
}

describe('records of deployments', () => {
  it('are those of the core, to the word', async () => {
    const note = { note: 'canary first', migration: '0042 adds a column' };
    const words = { notes: note.note, migrations: note.migration };
    const made = await face.post(PLATFORM, { ...where('prod'), configCommit: 'v2', ...words });
    const kept = await core.post(RECORDS, {
      ...where('prod'),
      commit: 'v2',
      status: 'deployed',
      source: 'pipeline',
      ...note,
    });
    expect([made.status, made.body]).toMatchObject([
      201,
      {
        scope: 'acme/prod/api',
        status: 'DEPLOYED',
        configCommit: commits[1],
        version: 2,
        imageTag: 'v2',
        notes: [{ text: 'canary first' }],
        migrations: ['0042 adds a column'],
        rolledBackAt: null,
      },
    ]);
    const done = await mark('registry.example.com/api:v2', '?environment=prod&tenant=acme');
    const patched = await core.call('PATCH', `${RECORDS}/${kept.body.id}`, {
      body: { status: 'rolled_back' },
    });
    expect([done.status, done.body.id, done.body.status]).toEqual([200, made.body.id, 'ROLLED_BACK']);
    expect([done.body.rolledBackAt, patched.body.status]).toEqual([done.body.updatedAt, 'rolled_back']);
    const [one, other] = await Promise.all(repos.map(recordsIn));
    expect(one).toEqual(other);
  });

  it('are made once for a scope and a commit, and point to where a rollback returned to', async () => {
    const old = await face.post(PLATFORM, { ...where('prod'), configCommit: 'v1' });
    const bad = await face.post(PLATFORM, { ...where('prod'), configCommit: 'v3' });
    await mark('v3');
    const redeployed = { ...where('prod'), configCommit: 'v4', rollbackOf: old.body.id };
    const first = await face.post(PLATFORM, redeployed);
    expect([first.status, first.body]).toMatchObject([
      201,
      {
        status: 'DEPLOYED',
        version: 4,
        imageTag: 'v1',
        rollbackOf: { commit: commits[0], version: 1 },
        requestId: null,
      },
    ]);
    const again = await face.post(PLATFORM, { ...redeployed, notes: 'once more', configCommit: 'HEAD' });
    expect([again.status, again.body]).toEqual([200, first.body]);
    const newest = (await history('?environment=prod&service=api&tenant=acme&limit=3')).deployments;
    expect(newest.map(({ id, status }: typeof first.body) => [id, status])).toEqual([
      [first.body.id, 'DEPLOYED'],
      [bad.body.id, 'ROLLED_BACK'],
      [old.body.id, 'DEPLOYED'],
    ]);
    const forward = await face.post(PLATFORM, { ...where('dev'), configCommit: 'v1', rollbackOf: 'v2' });
    expect([forward.status, forward.body.code]).toEqual([400, 'INVALID_REQUEST']);
    expect((await face.get(`${RECORDS}/${first.body.id}`)).body.rollbackOf).toEqual(first.body.rollbackOf);
  });
});

describe('a tag', () => {
  it('is marked where it runs; of several places one has to be named', async () => {
    const places = [where('dev'), where('prod', 'web'), where('prod', 'api', 'globex')];
    for (const place of places) await face.post(PLATFORM, { ...place, configCommit: 'v2' });
    const several = await mark('v2');
    expect([several.status, several.body.code]).toEqual([409, 'DEPLOYMENT_AMBIGUOUS']);
    expect(several.body.details.candidates).toMatchObject([
      { scope: 'globex/prod/api', status: 'deployed' },
      { scope: 'acme/prod/web' },
      { scope: 'acme/dev/api' },
    ]);
    expect((await mark('v2', '?environment=prod')).status).toBe(409);
    const dev = await mark('v2', '?environment=dev');
    const web = await mark('v2', '?environment=prod&service=web');
    // It runs in one place now.
    const last = await mark('v2');
    expect([dev, web, last].map(({ body }) => [body.scope, body.status])).toEqual([
      ['acme/dev/api', 'ROLLED_BACK'],
      ['acme/prod/web', 'ROLLED_BACK'],
      ['globex/prod/api', 'ROLLED_BACK'],
    ]);
    const again = [await mark('v2', '?tenant=globex'), await mark('v2', '?environment=dev')];
    expect(again.map(({ status, body }) => [status, body])).toEqual([
      [200, last.body],
      [200, dev.body],
    ]);
    // It is told from the others where it was not marked in the same second.
    const unnamed = await mark('v2');
    expect(unnamed.status === 409 ? 'DEPLOYMENT_AMBIGUOUS' : unnamed.body.id).toBe(
      unnamed.status === 409 ? unnamed.body.code : last.body.id,
    );
  });

  it('exists where a record names it', async () => {
    expect(await exists('v3')).toMatchObject({
      exists: true,
      deployment: { scope: 'acme/prod/api', imageTag: 'v3' },
    });
    expect(await exists('v3', '?environment=dev')).toEqual({ exists: false, deployment: null });
    expect(await exists('v2', '?tenant=globex')).toMatchObject({ deployment: { tenant: 'globex' } });
    expect(await exists('v2', '?tenant=-')).toEqual({ exists: false, deployment: null });
    expect(await exists('v9')).toEqual({ exists: false, deployment: null });
  });

  it.each([
    [() => mark('v9'), 404, 'DEPLOYMENT_UNKNOWN'],
    [() => mark('v1', '?environment=nowhere'), 404, 'DEPLOYMENT_UNKNOWN'],
    [() => mark('v1', '?where=prod'), 400, 'INVALID_REQUEST'],
    [() => face.get(`${PLATFORM}/history?limit=0`), 400, 'INVALID_REQUEST'],
    [() => face.get(`${PLATFORM}/history?limit=1001`), 400, 'INVALID_REQUEST'],
    [() => face.post(PLATFORM, { ...where('prod'), status: 'ROLLED_BACK' }), 400, 'INVALID_REQUEST'],
    [() => face.post(PLATFORM, { ...where('prod'), rollbackOf: 'v99' }), 404, 'REVISION_UNKNOWN'],
  ])('is refused: %s', async (call, status, code) => {
    const answer = await call();
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});
