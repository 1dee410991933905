/** A watch over a repository of one service, whose cluster is what the test says. */
import type { See } from '../../../../engine/live/watch/open.ts';
import type { LiveState } from '../../../../engine/model/index.ts';
import { configOf } from '../../../helpers/people/requests.ts';
import type { Identity } from '../../../helpers/people/signing.ts';
import { engineOf } from '../../../helpers/repositories/engine.ts';
import { createRepo, type Repo } from '../../../helpers/repositories/repo.ts';

export const QUIET = { checks: { IMAGE_MUTABLE: 'off', IMAGE_UNCHECKED: 'off' } };
export const LIVE = {
  live: [{ match: '**', cluster: 'prod-eu', kubernetes: {} }],
  auto: [{ match: '**', window: '10m', bad: '1m' }],
  deployments: { record: 'always' },
};
export const app = (tag: string) => ({ 'apps/prod/api/app.yaml': `image: api:${tag}\n` });

export async function sceneOf(more: object = {}) {
  const repo = await createRepo({ bare: true });
  const config = configOf({ environments: [] }, { ...QUIET, ...LIVE, ...more });
  await repo.replay([{ files: { '.backtrail/config.yaml': config, ...app('v1') } }, { files: app('v2') }]);
  return watchOf(repo);
}

export async function watchOf(
  repo: Repo,
  how: { readonly as?: Identity; readonly signers?: string; readonly ms?: number } = {},
) {
  const clock = { ms: how.ms ?? 0, state: 'live' as LiveState };
  const engine = await engineOf(repo, {
    clock: { now: () => Date.now() + clock.ms, sleep: () => Promise.resolve() },
    allowedSigners: how.signers,
    env: { ...how.as?.env },
  });
  const asked: string[][] = [];
  const see: See = (_, watched) => {
    asked.push(watched.map(({ scope }) => scope));
    const { state } = clock;
    return Promise.resolve(new Map(watched.map(({ scope }) => [scope, { state, observations: [] }])));
  };
  const watch = await engine.watch({ see, monotonic: () => clock.ms });
  const look = async (state: LiveState, passed = 0) => {
    Object.assign(clock, { state, ms: clock.ms + passed });
    return watch.look();
  };
  /** Looks again and again until it was degraded for long enough. */
  const degrade = async () => {
    const looks = [];
    for (let round = 0; round < 8; round += 1) looks.push(await look('degraded', 15_000));
    return looks.flatMap(({ requests }) => requests);
  };
  return { repo, engine, asked, look, degrade, clock };
}
