import type { JudgementCode } from '../judgement/judgement.ts';
import { countAt, conditionOf, listAt, textAt, timeAt, valueAt } from '../read.ts';

/** What keeps a container, or its pod, from running. */
export interface Trouble {
  readonly message: string;
  /** It is not going to pass: where it is set, the workload is degraded, whatever is left of its deadline. */
  readonly code: JudgementCode | null;
  /** The higher, the more it explains. */
  readonly rank: number;
}

/**
 * A container that ended so often and is not up is in a loop, although it runs for a moment between two ends. Once or twice is what a container
 * does that waits for its database.
 */
const LOOPING = 3;

/** Reasons for which a container waits, in the order in which they explain. A registry may be away, and a ConfigMap may come: these pass, until the deadline. */
const REASONS = [
  'CreateContainerError',
  'RunContainerError',
  'CreateContainerConfigError',
  'ErrImagePull',
  'ImagePullBackOff',
  'CrashLoopBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
];
const NEVER: ReadonlySet<string> = new Set(['InvalidImageName', 'ErrImageNeverPull']);

export function troublesOf(pod: unknown): Trouble[] {
  const name = textAt(pod, 'metadata', 'name') ?? '';
  const unscheduled = conditionOf(pod, 'PodScheduled');
  const pending =
    textAt(unscheduled, 'status') === 'False'
      ? [
          {
            message: `pod ${name}: ${textAt(unscheduled, 'reason')}: ${textAt(unscheduled, 'message') ?? ''}`,
            code: null,
            rank: 0,
          },
        ]
      : [];
  return [...pending, ...statusesOf(pod).flatMap((status) => troubleOf(status, name) ?? [])];
}

export const restartsOf = (pod: unknown) =>
  statusesOf(pod).reduce<number>((sum, status) => sum + (countAt(status, 'restartCount') ?? 0), 0);

const statusesOf = (pod: unknown) => [
  ...listAt(pod, 'status', 'initContainerStatuses'),
  ...listAt(pod, 'status', 'containerStatuses'),
];

function troubleOf(status: unknown, pod: string): Trouble | null {
  const reason = textAt(status, 'state', 'waiting', 'reason') ?? '';
  const isLooping = loops(status);
  const rank = isLooping ? REASONS.indexOf('CrashLoopBackOff') : REASONS.indexOf(reason);
  if (rank === -1) return null;
  const shown = isLooping ? 'CrashLoopBackOff' : reason;
  return {
    message: `container ${textAt(status, 'name') ?? ''} of pod ${pod}: ${shown}${whyOf(status)}`,
    code: isLooping ? 'CRASH_LOOP' : NEVER.has(reason) ? 'IMAGE_INVALID' : null,
    rank: rank + 1,
  };
}

function loops(status: unknown): boolean {
  if (valueAt(status, 'ready') === true || (countAt(status, 'restartCount') ?? 0) < LOOPING) return false;
  const ended = valueAt(status, 'lastState', 'terminated');
  return (
    textAt(status, 'state', 'waiting', 'reason') === 'CrashLoopBackOff' ||
    (ended !== undefined && countAt(ended, 'exitCode') !== 0)
  );
}

function whyOf(status: unknown): string {
  const ended = valueAt(status, 'lastState', 'terminated') ?? valueAt(status, 'state', 'terminated');
  if (ended === undefined) return '';
  const exit = countAt(ended, 'exitCode');
  const reason = textAt(ended, 'reason');
  return ` (last ended${reason === undefined ? '' : ` with ${reason}`}${exit === undefined ? '' : `, exit ${exit}`})`;
}

/** The newest warning of events: `FailedScheduling: 0/3 nodes are available`. `since`: milliseconds; older ones are of before. */
export function newestWarning(events: readonly unknown[], since: number): string | null {
  const dated = events
    .filter((event) => textAt(event, 'type') === 'Warning')
    .map((event) => ({ event, time: timeOf(event) }))
    .filter(({ time }) => !(time < since))
    .toSorted((one, other) => other.time - one.time);
  const [newest] = dated;
  return newest
    ? `${textAt(newest.event, 'reason') ?? 'Warning'}: ${textAt(newest.event, 'message') ?? ''}`
    : null;
}

const timeOf = (event: unknown) =>
  timeAt(event, 'series', 'lastObservedTime') ??
  timeAt(event, 'lastTimestamp') ??
  timeAt(event, 'eventTime') ??
  timeAt(event, 'metadata', 'creationTimestamp') ??
  0;
