/** A repository in which something went wrong, two people who each serve themselves the page, and a worker that executes what they decide. */
import { createLogger, executeInBatches, startWorker } from '../../workers/index.ts';
import type { Person, Step } from '../../engine/internal.ts';
import { configOf } from '../helpers/people/requests.ts';
import { builtConsole } from '../helpers/program/browser.ts';
import { engineOf, JANE } from '../helpers/repositories/engine.ts';
import { createRepo, type Repo } from '../helpers/repositories/repo.ts';
import { closeAfterFile } from '../helpers/run/lifetime.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';
import { HOSTILE } from './scene.ts';

const BOB: Person = { name: 'Bob', email: 'bob@example.com' };

export interface DecisionScene {
  readonly repo: Repo;
  readonly jane: Api;
  readonly bob: Api;
  /** Another server of that person; `port`: where it listens. */
  serve(person: Person, port?: number): Promise<Api>;
  /** The next rollback stays in that step, once it has told of it, until it is let go. */
  holdAt(step: Step): { readonly reached: Promise<void>; readonly letGo: () => void };
  /** The configuration on the branch, with more in it. */
  configure(more?: object): Promise<void>;
  /** The text of a file on the branch. */
  read(path: string): Promise<string>;
}

const ONE = {
  quorum: 1,
  unsignedApprovals: true,
  unsignedRequests: true,
  breakGlass: { allowed: true, longest: '1h' },
};
const POLICY = { environments: [{ match: '*/production', ...ONE }] };
const LAYOUT = { service: ['apps/{tenant}/{environment}/{service}/**'] };
// No file of whoever serves says how it is reached.
const LIVE = [{ match: '*/canary', cluster: 'canary-eu', kubernetes: { namespace: 'acme' } }];

const CONFIG = '.backtrail/config.yaml';
const configured = (more: object = {}) =>
  configOf(POLICY, { layout: LAYOUT, branch: 'main', live: LIVE, ...more });

const fileOf = (environment: string, service: string) => `apps/acme/${environment}/${service}/app.yaml`;

const textOf = (service: string, version: number) =>
  [
    `image: example.com/${service}:1.${version}.0`,
    `replicas: ${version + 1}`,
    `note: ${JSON.stringify(version > 1 ? HOSTILE : 'fine')}`,
    '',
  ].join('\n');

/** `acme/production` needs one approval, `acme/staging` none; both have api and web, with three revisions each. `acme/canary` became another kind of thing, and has jobs since. */
export async function decisionRepo(): Promise<Repo> {
  const repo = await createRepo();
  const places = ['production', 'staging'].flatMap((environment) =>
    ['api', 'web'].map((service) => [environment, service] as const),
  );
  const files = (version: number) =>
    Object.fromEntries(
      places.map(([environment, service]) => [fileOf(environment, service), textOf(service, version)]),
    );
  await repo.commit({
    [CONFIG]: configured(),
    [fileOf('canary', 'api')]: `profile: small\n${textOf('api', 0)}`,
    ...files(0),
  });
  await repo.commit(files(1), { message: 'Release 1.1.0' });
  const canary = {
    [fileOf('canary', 'api')]: `profile: large\n${textOf('api', 2)}`,
    [fileOf('canary', 'jobs')]: textOf('jobs', 2),
  };
  await repo.commit({ ...files(2), ...canary }, { message: HOSTILE });
  await repo.git('checkout', '--quiet', '--detach');
  return repo;
}

export async function decisionScene(redisUrl: string): Promise<DecisionScene> {
  const repo = await decisionRepo();
  const page = await builtConsole();
  const serve: DecisionScene['serve'] = async (person, port = 0) =>
    startApi(await engineOf(repo, { lives: 'file' }), {
      lives: 'file',
      person,
      settings: { page, redisUrl, listen: { host: '127.0.0.1', port } },
    });
  const steps = createSteps();
  const execute = executeInBatches(() => engineOf(repo, { lives: 'file' }));
  const worker = startWorker({
    redisUrl,
    execute: (input) =>
      execute({
        ...input,
        onStep: async (event) => {
          await input.onStep(event);
          await steps.reach(event.step);
        },
      }),
    logger: createLogger({ name: 'worker', destination: { write: () => undefined } }),
  });
  closeAfterFile(() => worker.close());
  const [jane, bob] = await Promise.all([serve(JANE), serve(BOB)]);
  return {
    repo,
    jane,
    bob,
    serve,
    holdAt: steps.holdAt,
    configure: (more) =>
      repo.replay([{ files: { [CONFIG]: configured(more) }, message: 'Configure' }]).then(() => undefined),
    read: (path) => repo.git('show', `main:${path}`),
  };
}

function createSteps() {
  let held: { readonly step: Step; readonly reach: () => void; readonly gone: Promise<void> } | null = null;
  return {
    holdAt: (step: Step) => {
      let [reach, letGo] = [(): void => undefined, (): void => undefined];
      const reached = new Promise<void>((resolve) => (reach = resolve));
      const gone = new Promise<void>((resolve) => (letGo = resolve));
      held = { step, reach, gone };
      return { reached, letGo: () => letGo() };
    },
    reach: async (step: Step) => {
      const own = held;
      if (own?.step !== step) return;
      held = null;
      own.reach();
      await own.gone;
    },
  };
}
