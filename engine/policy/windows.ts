/** Freeze windows: whether changes of an environment are frozen at a time. Daylight saving is the cron library's. */
import { Cron } from 'croner';
import type { ChangeWindow, EnvironmentName, Policy } from '../model/index.ts';
import { matchesEnvironment } from './policy.ts';

export interface Freeze {
  readonly window: ChangeWindow;
  /** Milliseconds since 1970; null: no end is known. */
  readonly until: number | null;
}

/** `until 2026-11-30T08:00Z` */
export const endOf = ({ until }: Freeze) =>
  until === null ? 'no end is known' : `until ${new Date(until).toISOString().slice(0, 16)}Z`;

/** The freezes that cover `now` (milliseconds since 1970), those that bind rollbacks first. */
export function freezesAt(policy: Policy, environment: EnvironmentName, now: number): Freeze[] {
  const windows = (policy.windows ?? []).filter(({ match }) => matchesEnvironment(match, environment));
  const denied = windows
    .filter(({ kind }) => kind === 'deny')
    .flatMap((window) => {
      const until = openUntil(window, now);
      return until === null ? [] : [{ window, until }];
    });
  return [
    ...denied,
    ...outsideOf(
      windows.filter(({ kind }) => kind === 'allow'),
      now,
    ),
  ].toSorted(
    (one, other) => Number(other.window.rollbacks === 'bound') - Number(one.window.rollbacks === 'bound'),
  );
}

/** Where there are windows that allow, and none is open: the freeze lasts until the first opens. It binds only where all of them do. */
function outsideOf(windows: readonly ChangeWindow[], now: number): Freeze[] {
  const [first] = windows;
  if (!first || windows.some((window) => openUntil(window, now) !== null)) return [];
  const openings = windows.flatMap((window) => cronOf(window).nextRun(new Date(now))?.getTime() ?? []);
  const window = windows.find(({ rollbacks }) => rollbacks === 'exempt') ?? first;
  return [{ window, until: openings.length === 0 ? null : Math.min(...openings) }];
}

/** When the window ends that covers `now`; null: none does. Of windows that overlap themselves, the newest counts. */
function openUntil(window: ChangeWindow, now: number): number | null {
  const [start] = cronOf(window).previousRuns(1, new Date(now + 1));
  const end = (start?.getTime() ?? Number.NEGATIVE_INFINITY) + window.durationMs;
  return end > now ? end : null;
}

const cronOf = ({ cron, timezone }: Pick<ChangeWindow, 'cron' | 'timezone'>) =>
  new Cron(cron, { timezone, paused: true, mode: '5-part' });

/** What is wrong with the text of a cron expression; null: nothing. */
export function cronProblem(cron: string): string | null {
  try {
    return cronOf({ cron, timezone: 'UTC' }).nextRun(new Date(0)) === null ? 'It never comes.' : null;
  } catch {
    return 'It must be five fields of cron: minute, hour, day of the month, month and day of the week, such as "0 18 * * FRI".';
  }
}

export function timezoneProblem(timezone: string): string | null {
  try {
    Intl.DateTimeFormat('en', { timeZone: timezone });
    return null;
  } catch {
    return 'It must be the name of a time zone, such as Europe/Berlin.';
  }
}
