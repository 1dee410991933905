/** What people do with rollbacks, requests, records and sessions, over HTTP. */
import type { Engine } from '../../engine/index.ts';
import { deploymentsOver } from './deployments.ts';
import { commitOf } from './following.ts';
import { requestCalls, requestsOver } from './requests.ts';
import { type ActingInput, rollbacksOver } from './rollbacks.ts';

export type Acting = Pick<
  Engine,
  | 'deployments'
  | 'destination'
  | 'findRequest'
  | 'findRequests'
  | 'holds'
  | 'recorded'
  | 'recurring'
  | 'requests'
  | 'rollbacks'
>;

// The server answers in the forms of its document, which its own tests hold it to.
/* oxlint-disable typescript/no-unsafe-type-assertion */

export function actingOver({ http, locate, waiting }: ActingInput): Acting {
  const calls = requestCalls(http);
  const { show } = calls;
  return {
    destination: async () =>
      (
        (await http.get('/repository')) as {
          readonly destination: Awaited<ReturnType<Engine['destination']>>;
        }
      ).destination,
    findRequest: async (id) => commitOf(await show(id)),
    findRequests: async (ids) => {
      const found = new Map<string, string>();
      for (const id of ids) {
        const commit = commitOf(await show(id));
        if (commit !== null) found.set(id, commit);
      }
      return found;
    },
    holds: async ({ scope }) => {
      const found = (await http.get('/holds', { scope, limit: 1000 })) as Partial<
        Awaited<ReturnType<Engine['holds']>>
      >;
      return { holds: [], findings: [], ...found };
    },
    recorded: async ({ scope, limit, after }) => {
      const found = (await http.get('/log', { scope, limit, cursor: after })) as Partial<
        Awaited<ReturnType<Engine['recorded']>>
      >;
      return { rollbacks: [], resumes: [], unlisted: [], next: null, ...found };
    },
    recurring: async ({ scope, limit }) => {
      const found = (await http.get('/log', { scope, limit, recurring: 'true' })) as {
        readonly recurring: Awaited<ReturnType<Engine['recurring']>>;
      };
      return found.recurring;
    },
    rollbacks: rollbacksOver({ http, locate, waiting, calls }),
    requests: requestsOver(http, calls),
    deployments: deploymentsOver(http),
  };
}
