/** Whether a revision that degraded is rolled back by itself, and why not. Pure. */
import type { AutoRule, DeploymentStatus } from '../../model/index.ts';
import type { Memory, Watched } from './types.ts';

/** Why nothing is asked for by itself. The codes of failures come besides these, where the gate refuses. */
type AutoRefusal =
  /** What degraded is a rollback. */
  | 'AUTO_OF_ROLLBACK'
  /** It only lifts a hold. */
  | 'AUTO_OF_RESUME'
  /** It became current longer ago than `window`. */
  | 'AUTO_WINDOW'
  /** What ran before it was not known to be live. */
  | 'AUTO_NOT_LIVE_BEFORE'
  /** There is nothing before it, and `atomic` is off. */
  | 'AUTO_FIRST'
  /** Another request of the scope is open. */
  | 'AUTO_OPEN_REQUEST'
  /** A hold stands. */
  | 'AUTO_HELD'
  /** A freeze stands. */
  | 'AUTO_FROZEN'
  /** As many as `limit` allows were asked for. */
  | 'AUTO_LIMIT'
  /** No deployment is recorded, so that nothing says what was successful. */
  | 'AUTO_NO_RECORDS';

export interface Refusal {
  readonly code: string;
  /** One sentence. */
  readonly message: string;
}

/** What is asked for once a revision has been bad for long enough. */
export interface AutoFacts {
  /** Of the revision before; null: nothing is recorded of it. */
  readonly previous: DeploymentStatus | null;
  /** There is no revision before. */
  readonly isFirst: boolean;
  /** The id of another open request that overlaps; null: none. */
  readonly openRequest: string | null;
  /** A sentence; null: none. */
  readonly hold: string | null;
  /** A sentence; null: none. */
  readonly freeze: string | null;
  /** Automatic requests of the environment within the time of the limit. */
  readonly used: number;
}

/** It stayed degraded for as long as the rule says. */
export const isBad = ({ badMs }: Pick<AutoRule, 'badMs'>, { state, bad }: Memory): boolean =>
  state === 'degraded' && bad !== null && bad.ms >= badMs;

/** Dates of commits that are later than this clock, by more than clocks differ. */
const SKEW_MS = 120_000;

/** It degraded soon enough after it became current. What this watch saw itself goes before what a commit claims. */
export function isInWindow(
  { windowMs }: Pick<AutoRule, 'windowMs'>,
  { bad, becameAt }: Memory,
  since: string,
): boolean {
  if (bad === null) return false;
  const age = bad.from - (becameAt ?? Date.parse(since));
  return age <= windowMs && age >= -SKEW_MS;
}

/** What is known without asking anybody: null where nothing speaks against it yet. */
export function refusedByItself(
  { kind, auto, since, scope }: Pick<Watched, 'kind' | 'auto' | 'since' | 'scope'>,
  memory: Memory,
): Refusal | null {
  if (kind === 'rollback') return refusal('AUTO_OF_ROLLBACK', `What runs in ${scope} is a rollback itself.`);
  if (kind === 'resume') return refusal('AUTO_OF_RESUME', `What degraded in ${scope} is a resume.`);
  if (auto === null || !isInWindow(auto, memory, since))
    return refusal('AUTO_WINDOW', `It became current in ${scope} longer ago than the window.`);
  return null;
}

/** null: it goes ahead. */
export function refusedByFacts(
  { rule, record }: { readonly rule: AutoRule; readonly record: Watched['record'] },
  { before }: Pick<Memory, 'before'>,
  { previous, isFirst, openRequest, hold, freeze, used }: AutoFacts,
): Refusal | null {
  if (isFirst && !rule.atomic)
    return refusal('AUTO_FIRST', 'Nothing was there before it, and `atomic` is off.');
  if (isFirst && record?.status === 'deployed')
    return refusal('AUTO_FIRST', 'Nothing was there before it, and it was live: it is not taken away.');
  if (!isFirst && before !== 'live' && !(before === null && previous === 'deployed'))
    return refusal('AUTO_NOT_LIVE_BEFORE', 'What was there before it is not known to have been live.');
  if (openRequest !== null)
    return refusal('AUTO_OPEN_REQUEST', `The request ${openRequest} is open, and is left to people.`);
  if (hold !== null) return refusal('AUTO_HELD', hold);
  if (freeze !== null) return refusal('AUTO_FROZEN', freeze);
  if (used >= rule.limit.times)
    return refusal(
      'AUTO_LIMIT',
      `${used} were asked for in this environment lately, which is the limit: it stops itself.`,
    );
  return null;
}

const refusal = (code: AutoRefusal, message: string): Refusal => ({ code, message });
