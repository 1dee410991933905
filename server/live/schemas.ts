/** Whether scopes are live, and how clusters differ: as `status` and `drift` print it with `-o json`. */
import { z } from 'zod';
import { DRIFT_STATES, LIVE_SOURCES, LIVE_STATES } from '../../engine/index.ts';
import { commitId, time } from '../schemas/names.ts';

const state = z.enum(LIVE_STATES);

const observation = z
  .object({
    source: z.enum(LIVE_SOURCES),
    cluster: z.string(),
    object: z.string().describe('`Deployment acme/api`'),
    state,
    revision: z.string().nullable().describe('The commit that it says it runs, as it names it.'),
    message: z.string(),
    code: z
      .string()
      .optional()
      .describe('Why, where a machine is to know: `CLUSTER_AWAY`, `DEADLINE`, `NOT_SEEN`, …'),
    observedAt: time,
  })
  .meta({ id: 'Observation' });

export const liveStatus = z
  .object({
    scope: z.string(),
    desired: z.object({ commit: commitId, version: z.int().nullable() }),
    state: state.describe(
      'The worst of all, in the order degraded, progressing, pending, unconfirmed, live.',
    ),
    live: z.array(observation),
  })
  .meta({ id: 'LiveStatus' });

export const rollbackLive = liveStatus.extend({ requestId: z.string() }).meta({ id: 'RollbackLive' });

const driftObject = z
  .object({
    cluster: z.string(),
    kind: z.string(),
    namespace: z.string().nullable(),
    name: z.string(),
    state: z.enum(DRIFT_STATES),
    fields: z.array(
      z.object({
        path: z.string().describe('A JSON pointer, with `[name=…]` for items of lists with an identity.'),
        desired: z.unknown(),
        live: z.unknown().optional().describe('Absent where the cluster has none.'),
      }),
    ),
    message: z.string().optional().describe('Why it is unchecked, and what else is to be said.'),
  })
  .meta({ id: 'DriftObject' });

export const drift = z
  .object({ scope: z.string(), commit: commitId, objects: z.array(driftObject), observedAt: time.optional() })
  .meta({ id: 'Drift' });
