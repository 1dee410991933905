/** The ledger lives at the remote: while that is away, nothing can be asked for there. */
import { isFailure } from '../engine/index.ts';
import { sayIn } from './execute-request.ts';
import type { Session } from './session.ts';

/** Milliseconds. */
const PAUSE = 3_000;

/** Tries again until the remote answers; other failures are told at once. `work` must be safe to repeat. */
export async function untilBack<T>(session: Session, work: () => Promise<T>): Promise<T> {
  for (let told = false; ; told = true) {
    try {
      return await work();
    } catch (error) {
      if (!isFailure(error) || error.code !== 'REMOTE_UNAVAILABLE') throw error;
      if (!told)
        sayIn(session)(
          `  ${error.message} Waiting until it is back; Ctrl-C gives up, and nothing has been asked for.`,
        );
      await session.environment.clock.sleep(PAUSE);
    }
  }
}
