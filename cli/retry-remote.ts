/** Retries while the remote is unreachable: the ledger is there, and requests cannot be opened without it. */
import { isFailure } from '../engine/index.ts';
import { progressPrinter } from './execute-request.ts';
import type { Session } from './session.ts';

/** Milliseconds. */
const PAUSE = 3_000;

/** Tries again until the remote answers; other failures are reported at once. `work` must be safe to repeat. */
export async function retryRemote<T>(session: Session, work: () => Promise<T>): Promise<T> {
  for (let reported = false; ; reported = true) {
    try {
      return await work();
    } catch (error) {
      if (!isFailure(error) || error.code !== 'REMOTE_UNAVAILABLE') throw error;
      if (!reported)
        progressPrinter(session)(
          `  ${error.message} Waiting until it is back; Ctrl-C gives up, and nothing has been asked for.`,
        );
      await session.environment.clock.sleep(PAUSE);
    }
  }
}
