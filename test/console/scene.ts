/** A small repository behind a server, in which everything that people write is hostile. */
import { configOf } from '../helpers/people/requests.ts';
import { builtConsole } from '../helpers/program/browser.ts';
import { engineOf, rollBack } from '../helpers/repositories/engine.ts';
import { createRepo } from '../helpers/repositories/repo.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';

/** What would run, or hide what stands around it, if it were not text. */
export const HOSTILE = `</script><script>alert(1)</script><img src=x onerror=alert(2)> "'\u202e`;

export interface Scene {
  readonly api: Api;
  /** Revisions of `acme/production`. */
  readonly revisions: number;
}

/** `acme/production` with the services api and web, more revisions than a page of history has, a hold, and a request that waits. */
export async function consoleScene(): Promise<Scene> {
  const repo = await createRepo();
  const policy = { environments: [{ match: '*/production', quorum: 1, unsignedApprovals: true }] };
  const layout = { service: ['apps/{tenant}/{environment}/{service}/**'] };
  // No file of whoever serves says how it is reached.
  const live = [{ match: '*/staging', cluster: 'staging-eu', kubernetes: { namespace: 'acme' } }];
  const at = (name: string) => `apps/acme/production/${name}`;
  await repo.commit({
    '.backtrail/config.yaml': configOf(policy, { layout, live }),
    [`${at('api')}/app.yaml`]: 'image: example.com/api:1.0.0\nreplicas: 2\n',
    [`${at('web')}/app.yaml`]: 'image: example.com/web:1.0.0\n',
    [`${at('web')}/notes.txt`]: lines(1),
    'apps/acme/staging/api/app.yaml': 'image: example.com/api:1.0.0\n',
  });
  const steps = Array.from({ length: 70 }, (_, index) => ({
    files: { [`${at('api')}/app.yaml`]: `image: example.com/api:1.${index + 1}.0\nreplicas: 2\n` },
    message: `api 1.${index + 1}.0`,
  }));
  await repo.replay(steps, 'main');
  await repo.git('reset', '--quiet', '--hard');
  await repo.commit(
    { [`${at('web')}/notes.txt`]: lines(2), [`${at('web')}/<b>bold.txt`]: `${HOSTILE}\n` },
    { message: HOSTILE, author: { name: '<i>Mallory</i>', email: 'mallory@example.com' } },
  );
  const engine = await engineOf(repo, { lives: 'file' });
  await rollBack(engine, { scope: 'acme/production/api', to: 'v60', hold: true }, { reason: HOSTILE });
  const api = await startApi(engine, { lives: 'file', settings: { page: await builtConsole() } });
  await api.post('/api/v1/rollbacks', {
    tenant: 'acme',
    environment: 'production',
    service: 'web',
    target: 'v1',
    justification: HOSTILE,
  });
  return { api, revisions: 73 };
}

/** A text whose lines differ in one word here and there, with long stretches that do not. */
const lines = (version: number) =>
  Array.from({ length: 60 }, (_, index) =>
    index % 25 === 10 ? `line ${index} has version ${version} of it` : `line ${index} stays as it is`,
  ).join('\n');
