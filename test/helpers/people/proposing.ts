/** What people and a worker do with one rollback that goes to the branch by a pull request, wherever its host is. */
import type { Engine, Person, RequestId } from '../../../engine/internal.ts';

/** Whoever asks, and whoever executes: each with a repository of their own. */
export interface Proposing {
  readonly janes: Engine;
  readonly worker: Engine;
  readonly team: { readonly jane: Person };
}

/** Asks for a rollback, which a worker is to execute; gives its id. */
export async function askFor(
  { janes, team: { jane } }: Pick<Proposing, 'janes' | 'team'>,
  scope = 'prod/api',
): Promise<RequestId> {
  const author = { name: jane.name, email: jane.email };
  const { target, digest } = await janes.rollbacks.plan({ scope, author });
  const { requestId } = await janes.rollbacks.request({
    scope,
    target,
    digest,
    author,
    reason: 'v2 answers 500',
    ledger: true,
  });
  return requestId;
}

/** The same, as far as an open pull request; gives its number too. */
export async function proposeFor(
  scene: Proposing,
  scope?: string,
): Promise<{ readonly id: RequestId; readonly number: number }> {
  const id = await askFor(scene, scope);
  const { status, pullRequest } = await scene.worker.rollbacks.execute(id);
  if (status !== 'proposed' || pullRequest === undefined) throw new Error(`It is ${status}.`);
  return { id, number: pullRequest.number };
}

/** What the ledger says of one, as far as these scenes look. */
export async function stateOf({ worker }: Pick<Proposing, 'worker'>, id: RequestId) {
  const { status, result, proposed, link } = await worker.requests.show({ id });
  return { status, result, proposed, link };
}

/** A look of the worker now, however long ago it looked last. */
export const lookOf = ({ worker }: Pick<Proposing, 'worker'>) =>
  worker.requests.reconcile({ asksHost: true });
