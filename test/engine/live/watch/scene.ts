/** A watch without Git and without a cluster: what they say is set by the test, and the clock goes where it is told. */
import type { AutoFacts, Refusal } from '../../../../engine/live/watch/auto.ts';
import type { LookResult, StatusWish, WatchPorts } from '../../../../engine/live/watch/ports.ts';
import type { RecordSeen, Watched } from '../../../../engine/live/watch/types.ts';
import { createWatch } from '../../../../engine/live/watch/watch.ts';
import {
  type AutoRule,
  BacktrailError,
  type FailureCode,
  type LiveRule,
  type LiveState,
} from '../../../../engine/model/index.ts';

export const MINUTE = 60_000;
const START = Date.parse('2026-11-01T00:00:00Z');
export const AUTO: AutoRule = {
  match: '**',
  windowMs: 10 * MINUTE,
  badMs: 2 * MINUTE,
  limit: { times: 1, perMs: 360 * MINUTE },
  atomic: false,
};
const RULE: LiveRule = {
  match: '**',
  cluster: 'prod-eu',
  withinMs: 10 * MINUTE,
  nudge: false,
  argocd: null,
  flux: null,
  kubernetes: { namespace: null },
};

export interface Place {
  state: LiveState | 'away';
  revision: string;
  kind: Watched['kind'];
  since: number;
  record: RecordSeen | null;
  auto: AutoRule | null;
  rule: LiveRule;
}

/** `n` as a commit id. */
export const commit = (n: number) => String(n).padStart(40, '0');

export function createScene(names: readonly string[] = ['prod/api']) {
  let elapsed = 0;
  const now = () => START + elapsed;
  const places = new Map<string, Place>(
    names.map((name) => [
      name,
      {
        state: 'live',
        revision: commit(1),
        kind: 'deploy',
        since: START,
        record: null,
        auto: AUTO,
        rule: RULE,
      },
    ]),
  );
  const facts: { -readonly [Key in keyof AutoFacts]: AutoFacts[Key] } = {
    previous: null,
    isFirst: false,
    openRequest: null,
    hold: null,
    freeze: null,
    used: 0,
  };
  const scene = {
    places,
    facts,
    refusal: null as Refusal | null,
    needsApproval: false,
    requestFails: null as FailureCode | null,
    recordFails: null as Refusal | null,
    /** Wishes of each commit. */
    commits: [] as (readonly StatusWish[])[],
    requests: [] as string[],
    nudged: [] as string[],
    asked: 0,
    results: [] as LookResult[],
    clock: { skew: 0 },
    place: (name = 'prod/api'): Place => {
      const found = places.get(name);
      if (found === undefined) throw new Error(`There is no ${name}.`);
      return found;
    },
    deploy: (revision: number, kind: Watched['kind'] = 'deploy', name = 'prod/api') =>
      Object.assign(scene.place(name), {
        revision: commit(revision),
        kind,
        since: now(),
        record: kind === 'deploy' ? null : { status: 'pending', automatic: null, updatedAt: iso(now()) },
      }),
    restart: () => {
      watch = createWatch(ports);
    },
    look: async () => {
      const result = await watch.look();
      scene.results.push(result);
      return result;
    },
    /** Looks whenever the watch wants to, for so long. */
    run: async (ms: number, state?: LiveState | 'away') => {
      if (state !== undefined) for (const place of places.values()) place.state = state;
      const end = elapsed + ms;
      while (elapsed < end) {
        const { nextMs } = await scene.look();
        elapsed += Math.min(nextMs ?? ms, end - elapsed);
      }
    },
    pass: (ms: number) => {
      elapsed += ms;
    },
    changes: () => scene.results.flatMap(({ changes }) => changes),
    notices: () => scene.results.flatMap(({ notices }) => notices.map(({ code }) => code)),
    statuses: () =>
      scene.commits.flat().map(({ status, automatic }) => `${status} ${automatic?.refused ?? ''}`.trim()),
  };
  const iso = (ms: number) => new Date(ms).toISOString();
  const watchedOf = ([scope, place]: [string, Place]): Watched => {
    const [environment = '', service = ''] = scope.split('/');
    const coordinates = { environment, service };
    const desired = { commit: place.revision, version: null };
    const { rule, auto, kind, record } = place;
    const since = iso(place.since);
    const target = {
      ...coordinates,
      rule,
      desired,
      contains: place.revision,
      next: null,
      since,
      hasArrived: false,
    };
    return { scope, coordinates, targets: [target], desired, since, kind, record, auto };
  };
  const ports: WatchPorts = {
    survey: () =>
      Promise.resolve({ watched: [...places].map(watchedOf), isWanted: places.size > 0, left: 0 }),
    observe: (watched) => {
      scene.asked += 1;
      const observedAt = iso(now());
      return Promise.resolve(
        new Map(
          watched.map(({ scope, targets }) => {
            const { state, revision } = scene.place(scope);
            const isAway = state === 'away';
            const seen = isAway ? 'unconfirmed' : state;
            const observations = targets.map(({ rule: { cluster } }) => ({
              source: 'kubernetes' as const,
              cluster,
              object: `Deployment ${scope}`,
              state: seen,
              revision,
              message: `It is ${state}.`,
              ...(isAway && { code: 'CLUSTER_AWAY' }),
              observedAt,
            }));
            return [scope, { state: seen, observations }];
          }),
        ),
      );
    },
    record: (wishes) => {
      if (scene.recordFails === null) {
        scene.commits.push(wishes);
        for (const { environment, service, status, automatic = null } of wishes)
          scene.place(`${environment}/${service ?? ''}`).record = {
            status,
            automatic,
            updatedAt: iso(now()),
          };
      }
      return Promise.resolve(wishes.map((of) => ({ of, refusal: scene.recordFails })));
    },
    auto: {
      facts: () => Promise.resolve({ ...facts }),
      preflight: ({ desired }) =>
        Promise.resolve({
          id: `rbk-${desired.commit.slice(-26)}`,
          refusal: scene.refusal,
          needsApproval: scene.needsApproval,
        }),
      request: ({ scope, desired }) => {
        if (scene.requestFails !== null)
          return Promise.reject(new BacktrailError(scene.requestFails, 'It cannot be asked for now.'));
        scene.requests.push(scope);
        return Promise.resolve({ id: `rbk-${desired.commit.slice(-26)}`, status: 'approved' });
      },
    },
    nudge: (watched) => {
      scene.nudged.push(...watched.map(({ scope }) => scope));
      return Promise.resolve([]);
    },
    now: () => now() + scene.clock.skew,
    monotonic: () => elapsed,
    random: () => 0,
  };
  let watch = createWatch(ports);
  return scene;
}
