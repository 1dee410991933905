/** Steps of rollbacks, from the queue: one subscription for all who listen, and only while somebody does. */
import { type Engine, isFailure, isRequestId } from '../../engine/index.ts';
import { type RollbackProgress, type WatchedSteps, watchSteps } from '../../workers/index.ts';

export interface RollbackStep extends RollbackProgress {
  readonly requestId: string;
  readonly scope: string;
}

export interface Steps {
  /** Whether anybody listens. */
  listen(isListened: boolean): void;
  /** Of a request that an event named. */
  knows(requestId: string, scope: string): void;
  close(): Promise<void>;
}

/** Requests whose scopes are remembered. */
const REMEMBERED = 5000;

export function createSteps({
  engine,
  redisUrl,
  repo,
  onStep,
  onEnd,
}: {
  readonly engine: Pick<Engine, 'requests'>;
  readonly redisUrl: string;
  readonly repo: string;
  readonly onStep: (step: RollbackStep) => void;
  /** The ledger has, or will soon have, an event that says so. */
  readonly onEnd: () => void;
}): Steps {
  let watched: WatchedSteps | null = null;
  const ending = new Set<Promise<void>>();
  const scopes = new Map<string, Promise<string | null>>();
  const remember = (id: string, scope: Promise<string | null>) => {
    if (scopes.size >= REMEMBERED) scopes.clear();
    scopes.set(id, scope);
  };
  const ask = async (id: string) => {
    try {
      return isRequestId(id) ? (await engine.requests.show({ id })).scopeName : null;
    } catch (error) {
      if (!isFailure(error) || error.code !== 'REQUEST_UNKNOWN') scopes.delete(id);
      return null;
    }
  };
  const scopeOf = (id: string) => {
    const known = scopes.get(id) ?? ask(id);
    remember(id, known);
    return known;
  };
  const end = () => {
    const closing = watched?.close();
    watched = null;
    if (closing === undefined) return;
    ending.add(closing);
    void closing.finally(() => ending.delete(closing));
  };
  return {
    listen: (isListened) => {
      if (!isListened) end();
      else
        watched ??= watchSteps({
          redisUrl,
          repo,
          onStep: (requestId, progress) =>
            void scopeOf(requestId).then(
              (scope) => scope !== null && onStep({ requestId, scope, ...progress }),
            ),
          onEnd,
        });
    },
    knows: (id, scope) => {
      if (!scopes.has(id)) remember(id, Promise.resolve(scope));
    },
    close: async () => {
      end();
      await Promise.all(ending);
    },
  };
}
