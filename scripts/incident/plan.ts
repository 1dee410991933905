/** Plans every rollback of an incident, and finds those that an earlier run carried out. */
import { createHash } from 'node:crypto';
import type { Environment } from '../../cli/environment.ts';
import { printProgress } from '../../cli/output.ts';
import {
  BacktrailError,
  blockedError,
  confirmPlan,
  deriveRequestId,
  type Engine,
  isBlocked,
  isFailure,
  type Person,
  type Planned,
  type RequestId,
  type RollbackRequest,
  type RollbackResult,
} from '../../engine/index.ts';
import type { Incident, Wish } from './file.ts';

/** One line of the file, and what became of it so far. */
export interface Item {
  readonly wish: Wish;
  readonly id: RequestId;
  planned?: Planned;
  request?: RollbackRequest;
  result?: RollbackResult;
  error?: BacktrailError;
  /** The commit of an earlier run. */
  done?: string;
}

export async function planAll(engine: Engine, incident: Incident, environment: Environment): Promise<Item[]> {
  const author = environment.author ?? (await engine.identity()) ?? environment.account;
  const items: Item[] = incident.rollbacks.map((wish) => ({ wish, id: requestIdOf(incident, wish) }));
  const twice = items.find(({ id }, index) => items.findIndex((other) => other.id === id) !== index);
  if (twice) throw new BacktrailError('INVALID_REQUEST', `${twice.wish.scope} stands twice in the file.`);
  const { reason } = incident;
  for (const [index, item] of items.entries()) {
    printProgress(`planning ${index + 1}/${items.length} ${item.wish.scope}`);
    await planOne(engine, item, { reason, author, now: environment.clock.now() });
  }
  return items;
}

/** The same file id, scope and fields always ask for the same rollback. */
function requestIdOf(incident: Incident, { scope, fields, wholeFile }: Wish): RequestId {
  return deriveRequestId(
    createHash('sha256')
      .update(JSON.stringify([incident.id, scope, fields, ...(wholeFile ? ['whole-file'] : [])]))
      .digest(),
  );
}

async function planOne(
  engine: Engine,
  item: Item,
  { reason, author, now }: { reason: string; author: Person; now: number },
): Promise<void> {
  const { scope, to, fields, allowRemoval, wholeFile } = item.wish;
  try {
    const done = await engine.findRequest(item.id);
    if (done !== null) {
      item.done = done;
      return;
    }
    const planned = await engine.plan({ scope, to, fields, allowRemoval, wholeFile });
    item.planned = planned;
    if (isBlocked(planned.plan)) throw blockedError(planned.plan);
    if (planned.plan.files.length === 0) return;
    item.request = confirmPlan(planned, { id: item.id, reason, author, now, allowRemoval });
  } catch (error) {
    if (!isFailure(error)) throw error;
    item.error = error;
  }
}
