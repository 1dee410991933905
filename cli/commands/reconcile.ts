import { type Engine, isFailure, type Repair, type RequestId } from '../../engine/index.ts';
import { enqueueWaiting, openQueue, withoutLogin } from '../../workers/index.ts';
import type { Style } from '../print/style.ts';
import { table } from '../print/table.ts';
import { oneLine } from '../terminal/clean.ts';
import type { Output } from '../terminal/output.ts';
import { type Program, runCommand } from './command.ts';

export function addReconcile(program: Program): void {
  program.root
    .command('reconcile')
    .description('update the ledger from the branch, and enqueue approved requests that have no job')
    .addHelpText('after', '\nWorkers do the same every few seconds. It can be run at any time.')
    .action(() =>
      runCommand(program, ({ session, style }) =>
        session.withEngine(async (engine) => {
          engine.requireWriting();
          const { repairs, waiting, ...unmerged } = await engine.requests.reconcile();
          const queue = await enqueue(session.environment.redisUrl, engine, waiting);
          return toOutput(style, { repairs, waiting, ...unmerged, ...queue });
        }),
      ),
    );
}

type Proposed = NonNullable<Awaited<ReturnType<Engine['requests']['reconcile']>>['proposed']>[number];

interface Reconciled {
  readonly repairs: readonly Repair[];
  /** Approved, and not executed yet. */
  readonly waiting: readonly RequestId[];
  /** Absent: none. */
  readonly proposed?: readonly Proposed[];
  /** What keeps one from being followed. */
  readonly problems?: readonly {
    readonly requestId: RequestId;
    readonly code: string;
    readonly message: string;
  }[];
  /** Those of `waiting` that had no job. */
  readonly enqueued: readonly RequestId[];
  /** null where the queue was not needed, or could be used. */
  readonly queueError: { readonly code: string; readonly message: string; readonly hint: string } | null;
}

type Enqueued = Pick<Reconciled, 'enqueued' | 'queueError'>;

/** Without a queue the ledger is still repaired; waiting requests keep waiting. */
async function enqueue(redisUrl: string, engine: Engine, ids: readonly RequestId[]): Promise<Enqueued> {
  if (ids.length === 0) return { enqueued: [], queueError: null };
  try {
    const queue = await openQueue({ redisUrl });
    try {
      return {
        enqueued: await enqueueWaiting(queue, { repo: withoutLogin(engine.location()), ids }),
        queueError: null,
      };
    } finally {
      await queue.close();
    }
  } catch (error) {
    if (!isFailure(error) || error.code !== 'QUEUE_UNAVAILABLE') throw error;
    const { code, message } = error;
    const hint = 'Start Redis, or name one with REDIS_URL: the workers enqueue what waits by themselves.';
    return { enqueued: [], queueError: { code, message, hint } };
  }
}

function proposedText({ branch, url, isClosed }: Proposed): string {
  const what = oneLine(url ?? branch);
  return isClosed
    ? `${what} was closed; a minute after that it counts as failed, and \`backtrail request retry\` opens it again.`
    : `It waits to be merged: ${what}.`;
}

function toOutput(style: Style, reconciled: Reconciled): Output {
  const { repairs, waiting, proposed = [], problems = [], enqueued, queueError } = reconciled;
  const troubled = new Set(problems.map(({ requestId }) => requestId));
  const told = new Set(repairs.map(({ requestId }) => requestId));
  const rows = [
    ...repairs.map(({ requestId, action, detail }) => [requestId, action, detail]),
    ...waiting.map((id) =>
      enqueued.includes(id)
        ? [id, 'enqueued', 'It was approved and had no job.']
        : [id, 'waits', queueError ? 'It is approved; the queue cannot be used.' : 'It has a job.'],
    ),
    // What is said of it above is enough.
    ...proposed
      .filter(({ requestId }) => !troubled.has(requestId) && !told.has(requestId))
      .map((each) => [each.requestId, 'proposed', proposedText(each)]),
    ...problems.map(({ requestId, code, message }) => [
      requestId,
      'not followed',
      `${oneLine(message)} (${code})`,
    ]),
  ];
  const text = () => {
    const lines = rows.map((row) => row.map((cell) => style.paint('reset', cell)));
    const said =
      rows.length === 0
        ? 'The ledger is as it should be; nothing waits.'
        : table(style, [{}, {}, { wrap: true }], lines);
    return queueError === null
      ? said
      : `${said}\n${style.paint('yellow', queueError.message)} ${queueError.hint}`;
  };
  return { value: reconciled, text };
}
