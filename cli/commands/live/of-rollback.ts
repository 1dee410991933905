/** Whether a completed rollback is live: told beside its result, and never in its place. */
import {
  type BacktrailError,
  type Engine,
  isFailure,
  type LiveStatus,
  type RequestId,
  type RequestView,
} from '../../../engine/index.ts';
import { progressPrinter } from '../../execute-request.ts';
import { statusText } from '../../print/live/status.ts';
import { short } from '../../print/style.ts';
import type { Session } from '../../session.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import type { Output } from '../../terminal/output.ts';
import type { Context } from '../command.ts';
import { followLive } from './follow.ts';
import { livePrinter } from './printer.ts';

/** As it stands in the JSON of a request or a result. */
export type LivePart = Pick<LiveStatus, 'desired' | 'state' | 'live'>;

/** How long a look at a request waits for clusters. */
const PATIENCE_MS = 5_000;

/** null: it could not be found out. Undefined: it is not completed, or nobody can be asked. */
export async function liveOf(
  engine: Engine,
  { id, result }: Pick<RequestView, 'id' | 'result'>,
  reader: Awaited<ReturnType<Session['author']>>,
): Promise<LivePart | null | undefined> {
  if (result?.status !== 'completed' || result.commit === null) return undefined;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    return partOf(await engine.live.ofRollback({ requestId: id, reader, signal }));
  } catch (error) {
    if (!isFailure(error)) throw error;
    return isNobody(error) ? undefined : null;
  }
}

export function livePartText(
  { style }: Pick<Context, 'style'>,
  scope: string,
  live: LivePart | null | undefined,
): readonly string[] {
  if (live === undefined) return [];
  const text =
    live === null
      ? 'Whether it is live could not be found out in time: `backtrail status` waits longer.'
      : statusText(style, { scope, ...live });
  return ['', text];
}

/** Follows what was published until it is live, degraded, or the time is over. The exit code of the rollback stays. */
export async function followRollback(
  context: Context,
  engine: Engine,
  { output, waitMs }: { readonly output: Output; readonly waitMs: number },
): Promise<Output> {
  const { session } = context;
  const { value } = output;
  const print = progressPrinter(session);
  if (!isCompleted(value)) return output;
  print(
    `  ✓ completed as ${short(value.commit)}; waiting until it is live, and Ctrl-C ends the waiting alone`,
  );
  const reader = await session.author(engine);
  const printer = livePrinter(session);
  let last: LiveStatus | null = null;
  const onLook = (status: LiveStatus) => {
    last = status;
    printer.show(status);
  };
  const follow = (signal: AbortSignal) =>
    followLive({
      look: () => engine.live.ofRollback({ requestId: value.requestId, reader, signal }),
      waitMs,
      clock: session.environment.clock,
      onLook,
      signal,
    });
  try {
    await interruptible(follow, () => Promise.resolve(null));
  } catch (error) {
    if (!isFailure(error)) throw error;
    printer.end();
    print(`  ${error.message}`);
    if (isNobody(error)) return output;
  } finally {
    printer.end();
  }
  const live = last && partOf(last);
  return {
    ...output,
    value: { ...value, live },
    text: () => [output.text(), ...livePartText(context, value.scope, live)].join('\n'),
  };
}

interface Completed {
  readonly requestId: RequestId;
  readonly scope: string;
  readonly commit: string;
}

/** Of results that commands print. */
function isCompleted(value: unknown): value is Completed {
  return (
    typeof value === 'object' &&
    value !== null &&
    'status' in value &&
    value.status === 'completed' &&
    'commit' in value &&
    typeof value.commit === 'string' &&
    'requestId' in value &&
    'scope' in value
  );
}

const isNobody = ({ code }: BacktrailError) => code === 'LIVE_NOT_CONFIGURED' || code === 'REQUEST_UNKNOWN';

const partOf = ({ desired, state, live }: LiveStatus): LivePart => ({ desired, state, live });
