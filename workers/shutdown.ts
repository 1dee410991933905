import type { Logger } from './log.ts';

/** What of `process` is used, so that tests can send signals to something else. */
interface Signals {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  off(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
}

/** npm and tsx pass a Ctrl-C on that their child had already got from the terminal: that is one signal, not two. */
const ONE_SIGNAL_MS = 250;

/**
 * On SIGTERM or SIGINT: run `stop` once and exit with 0; with 1 where it failed. A second signal exits at once with
 * 128 and the signal's number. Returns a function that takes the handlers away again.
 */
export function exitOnSignal(options: {
  stop: () => Promise<void>;
  logger: Logger;
  process?: Signals;
}): () => void {
  const { stop, logger, process: target = process } = options;
  let first: number | null = null;
  const handle = (signal: 'SIGTERM' | 'SIGINT') => () => {
    if (first !== null && Date.now() - first < ONE_SIGNAL_MS) return;
    if (first !== null) {
      logger.warn({ signal }, 'second signal: leaving at once');
      target.exit(signal === 'SIGTERM' ? 143 : 130);
      return;
    }
    first = Date.now();
    logger.info({ signal }, 'stopping after the current step');
    stop().then(
      () => target.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'could not stop in order');
        target.exit(1);
      },
    );
  };
  const handlers = { SIGTERM: handle('SIGTERM'), SIGINT: handle('SIGINT') };
  target.on('SIGTERM', handlers.SIGTERM);
  target.on('SIGINT', handlers.SIGINT);
  return () => {
    target.off('SIGTERM', handlers.SIGTERM);
    target.off('SIGINT', handlers.SIGINT);
  };
}
