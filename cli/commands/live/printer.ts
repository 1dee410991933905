import type { LiveStatus } from '../../../engine/index.ts';
import { waitingText } from '../../print/live/status.ts';
import type { Session } from '../../session.ts';
import { printProgress } from '../../terminal/output.ts';
import { waitingLine } from '../../terminal/progress.ts';

/** What is told while it is waited for: a line that changes on a terminal, else a line whenever it says something else. */
export function livePrinter(session: Session): { show: (status: LiveStatus) => void; end: () => void } {
  const { environment, format } = session;
  // With `-o json`, standard error contains errors only.
  if (format !== 'text') return { show: () => undefined, end: () => undefined };
  if (environment.progress) {
    const line = waitingLine(process.stderr);
    const began = environment.clock.now();
    const since = () => `${Math.round((environment.clock.now() - began) / 1000)} s`;
    return { show: (status) => line(`${waitingText(status)}  ${since()}`), end: () => line(null) };
  }
  let told = '';
  return {
    show: (status) => {
      const text = waitingText(status);
      if (text !== told) printProgress(`  ${text}`);
      told = text;
    },
    end: () => undefined,
  };
}
