/** What several observations come to: deadlines, and the worst of them. Pure. */
import {
  formatCoordinates,
  LIVE_STATES,
  type LiveState,
  type LiveTarget,
  type Observation,
} from '../model/index.ts';
import { cut, MOST_MESSAGE } from './judgement/message.ts';

export interface Observed {
  readonly target: LiveTarget;
  readonly observations: readonly Observation[];
}

export interface Combined {
  /** null: there is nothing to observe. */
  readonly state: LiveState | null;
  /** All of them, in the order of the targets, with their deadlines. */
  readonly live: readonly Observation[];
}

/** The state of a scope, by what was observed of all its targets. `now`: milliseconds since 1970. */
export function combine(observed: readonly Observed[], now: number): Combined {
  const live: Observation[] = [];
  const units = new Map<string, Observation[]>();
  for (const { target, observations } of observed) {
    const dated = withDeadlines({ target, observations }, now);
    const unit = formatCoordinates(target);
    units.set(unit, [...(units.get(unit) ?? []), ...dated]);
    live.push(...dated);
  }
  return { state: worstState([...units.values()].flatMap((each) => stateOf(each) ?? [])), live };
}

/**
 * After `withinMs` since the revision was published, `progressing` is `degraded` (DEADLINE) and `pending` is `unconfirmed` (NOT_SEEN). A date that
 * cannot be read sets no deadline, and what arrived before has none for `progressing`.
 */
export function withDeadlines({ target, observations }: Observed, now: number): Observation[] {
  const { withinMs } = target.rule;
  const elapsed = now - Date.parse(target.since);
  if (!(elapsed > withinMs)) return [...observations];
  const late = ` It was published ${timeText(elapsed)} ago, and is given ${timeText(withinMs)}.`;
  return observations.map((observation) => {
    const { state, message } = observation;
    if (state !== 'pending' && (state !== 'progressing' || target.hasArrived)) return observation;
    const isPending = state === 'pending';
    return {
      ...observation,
      state: isPending ? 'unconfirmed' : 'degraded',
      code: isPending ? 'NOT_SEEN' : 'DEADLINE',
      message: `${cut(message, MOST_MESSAGE - late.length)}${late}`,
    };
  });
}

/**
 * The state of one service by all that observe it, under whichever rule. Where one says that a later revision runs, nothing that others say of the
 * same cluster is of ours, nor what its objects say, which name no commit (they may be asked under another name than Argo CD): overtaken, unless
 * one of another cluster names a commit and is worse. An observer that knows that it is applied, and not whether it is healthy (HEALTH_UNKNOWN),
 * does not count beside others of the same cluster that all say it is live. Otherwise the worst counts.
 */
export function stateOf(observations: readonly Observation[]): LiveState | null {
  const overtaken = observations.filter(({ state }) => state === 'overtaken');
  const isOvertaken = ({ cluster, source }: Observation) =>
    overtaken.some((one) => one.cluster === cluster || source === 'kubernetes');
  const left = observations.filter((each) => !isOvertaken(each));
  const counted = left.filter((each) => each.code !== 'HEALTH_UNKNOWN' || !isVouchedFor(each, left));
  return worstState([...overtaken, ...counted].map(({ state }) => state));
}

function isVouchedFor({ cluster }: Observation, all: readonly Observation[]): boolean {
  const others = all.filter((other) => other.cluster === cluster && other.code !== 'HEALTH_UNKNOWN');
  return others.length > 0 && others.every(({ state }) => state === 'live');
}

/**
 * degraded, progressing, pending, unconfirmed, overtaken, live: the first of them that is there. `overtaken` is no worse than `live`, and is told
 * before it since it is another answer; it never hides what is not known. null for none.
 */
export const worstState = (states: readonly LiveState[]): LiveState | null =>
  LIVE_STATES.find((state) => states.includes(state)) ?? null;

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** `12m`, `3h 5m`, `2d`: the two largest units. */
export function timeText(ms: number): string {
  let left = Math.max(0, Math.floor(ms / 1000)) * 1000;
  const parts = UNITS.flatMap(([unit, size]) => {
    const count = Math.floor(left / size);
    left %= size;
    return count > 0 ? [`${count}${unit}`] : [];
  });
  return parts.length > 0 ? parts.slice(0, 2).join(' ') : '0s';
}
