/** Jane and Bob, each at a server of their own on one repository, and a worker that executes what they ask for: real Redis, real git. */
import { expect } from 'vitest';
import { createLogger, executeInBatches, startWorker } from '../../../workers/index.ts';
import { configOf } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { closeAfterFile } from '../../helpers/run/lifetime.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';

const POLICY = {
  environments: [
    { match: 'prod', quorum: 1, unsignedApprovals: true, approvers: { users: ['bob@example.com'] } },
    { match: 'held', quorum: 2, unsignedApprovals: true },
  ],
};
export const ROLLBACKS = '/api/v1/rollbacks';

export const ask = (environment: string, service: string, more: object = {}) => ({
  environment,
  service,
  targetSha: 'v1',
  justification: 'v2 answers 500',
  ...more,
});

export const said = ({ status, body }: Awaited<ReturnType<Api['get']>>) => [status, body.code, body.detail];

/** These services, each in prod, dev and held, with a good and a bad revision. Lives as long as the file. */
export async function createScene(services: readonly string[], redisUrl: string) {
  const repo = await createRepo();
  const apps = (tag: string) =>
    Object.fromEntries(
      services.flatMap((name) =>
        ['prod', 'dev', 'held'].map((where) => [
          `apps/${where}/${name}/app.yaml`,
          `image: ${tag}\nreplicas: 1\n`,
        ]),
      ),
    );
  await repo.commit({ '.backtrail/config.yaml': configOf(POLICY), ...apps('v1') });
  await repo.commit(apps('v2'));
  const engine = await engineOf(repo, { lives: 'file' });
  /** How often Jane's server looked at one request. */
  const looks = { shown: 0 };
  const show: typeof engine.requests.show = (input) => {
    looks.shown += 1;
    return engine.requests.show(input);
  };
  const counted = { ...engine, requests: { ...engine.requests, show } };
  const settings = { redisUrl };
  const jane = await startApi(counted, { lives: 'file', settings });
  const person = { name: 'Bob', email: 'bob@example.com' };
  const bob = await startApi(engine, { lives: 'file', person, settings });
  const worker = startWorker({
    redisUrl,
    execute: executeInBatches(() => engineOf(repo, { lives: 'file' })),
    logger: createLogger({ name: 'worker', destination: { write: () => undefined } }),
  });
  closeAfterFile(() => worker.close());
  return {
    repo,
    engine,
    jane,
    bob,
    looks,
    /** Another server of Jane's, which knows nothing but what the ledger and the queue hold; lives as long as the test. */
    fresh: async () => startApi(await engineOf(repo), { settings }),
    /** Gives the id of a request that waits. */
    pending: async (body: object): Promise<string> => {
      const answer = await jane.post(ROLLBACKS, body);
      expect([answer.status, answer.body.status]).toEqual([201, 'pending']);
      return answer.body.requestId;
    },
  };
}

export type Scene = Awaited<ReturnType<typeof createScene>>;
