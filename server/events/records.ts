/** One look at the records of deployments for all who listen: what observers said of clusters. It is told as it happens, and not replayed. */
import { type Actor, type Engine, isFailure, type ObservedDeployment } from '../../engine/index.ts';
import type { Logger } from '../../workers/index.ts';
import { createWakeableTimer } from '../../workers/wakeable-timer.ts';

/** `live`, `degraded`, and what became of a failure by itself. */
export type LiveEventType = 'live' | 'degraded' | 'auto-rollback';

/** What is said of an event of a record: a failure may say two things. */
export const typesOf = ({ state, automatic }: ObservedDeployment): readonly LiveEventType[] =>
  automatic === null ? [state] : [state, 'auto-rollback'];

type Told = (
  events: readonly ObservedDeployment[],
  mayRead: (reader: Actor, scope: string) => boolean,
) => void;

export interface Records {
  /** When it is known from where on it is told. Never rejects. */
  ready(): Promise<void>;
  /** Whether anybody listens. */
  listen(isListened: boolean): void;
  close(): void;
}

/** Milliseconds between two looks. */
const SHORTEST_MS = 2000;
const LONGEST_MS = 15_000;
const GROWTH = 1.5;

export function createRecords({
  engine,
  logger,
  told,
}: {
  readonly engine: Pick<Engine, 'deployments'>;
  readonly logger: Logger;
  readonly told: Told;
}): Records {
  const timer = createWakeableTimer();
  let position: string | undefined;
  let [isListened, isRunning, isClosed] = [false, false, false];
  let reported: string | null = null;
  const look = async (): Promise<boolean> => {
    const before = position;
    try {
      const found = await engine.deployments.events(before === undefined ? {} : { after: before });
      ({ position } = found);
      if (found.events.length > 0) told(found.events, found.mayRead);
    } catch (error) {
      if (!isFailure(error) || error.code !== 'EVENT_UNKNOWN') throw error;
      // They are others by now.
      position = undefined;
    }
    return position !== before;
  };
  const isWanted = () => isListened && !isClosed;
  const run = async () => {
    if (isRunning) return;
    isRunning = true;
    for (let quiet = 0; isWanted(); ) {
      try {
        quiet = (await look()) ? 0 : quiet + 1;
        reported = null;
      } catch (error) {
        quiet += 1;
        const code = isFailure(error) ? error.code : 'INTERNAL';
        if (code !== reported && !isClosed)
          logger.warn({ err: error }, 'records of deployments cannot be followed');
        reported = code;
      }
      if (isWanted()) await timer.wait(Math.min(SHORTEST_MS * GROWTH ** quiet, LONGEST_MS));
    }
    isRunning = false;
    // What comes while nobody listens is not told.
    position = undefined;
  };
  return {
    ready: async () => {
      if (position === undefined) await look().catch(() => undefined);
    },
    listen: (now) => {
      isListened = now;
      if (now) void run();
      else timer.wake();
    },
    close: () => {
      isClosed = true;
      timer.wake();
    },
  };
}
