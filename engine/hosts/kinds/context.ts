import type { Clock, StatusChecks } from '../../model/index.ts';
import type { Connection } from '../http.ts';
import type { Place } from '../place.ts';
import type { Mergeability, PullRequest } from '../../model/index.ts';

/** What each kind of host is made from. */
export interface HostContext {
  readonly place: Place;
  readonly connection: Connection;
  readonly clock: Clock;
}

/** Pages of a list that are read; GitHub's and GitLab's hold 100, Gitea's 50. */
export const MOST_PAGES = 50;
export const PER_PAGE = 100;

const LOOKS = 4;
const LOOK_MS = 1000;

/** Looks again a few times, while the host works out whether it can be merged. */
export async function lookUntil<Value>(
  look: () => Promise<Value>,
  isKnown: (value: Value) => boolean,
  clock: Pick<Clock, 'sleep'>,
): Promise<Value> {
  for (let looks = 1; ; looks += 1) {
    const value = await look();
    if (isKnown(value) || looks === LOOKS) return value;
    await clock.sleep(LOOK_MS);
  }
}

export type CheckState = 'passed' | 'failed' | 'pending';

/** `required` that nobody has reported are pending. */
export function countChecks(
  checks: readonly { readonly name: string; readonly state: CheckState }[],
  required: readonly string[] = [],
): StatusChecks {
  const reported = new Set(checks.map(({ name }) => name));
  const missing = new Set(required.filter((name) => !reported.has(name))).size;
  const of = (wanted: CheckState) => checks.filter(({ state }) => state === wanted).length;
  return {
    total: checks.length + missing,
    passed: of('passed'),
    failed: of('failed'),
    pending: of('pending') + missing,
  };
}

/** The newest; null for none. */
export const newest = (pulls: readonly PullRequest[]): PullRequest | null =>
  pulls.reduce<PullRequest | null>((best, pull) => (best && best.number > pull.number ? best : pull), null);

/** The branch of a pull request of another repository, so that it is never taken for one of ours: no branch has a colon. */
export const foreignBranch = (repository: string | number | null | undefined, branch: string): string =>
  `${repository ?? 'unknown'}:${branch}`;

/** Whether it is the one that was to be made for a branch that is at `head`. */
export const isGiven = (
  known: PullRequest,
  { head, into }: { readonly head: string | undefined; readonly into: string },
): boolean =>
  known.state === 'open' ||
  (known.state === 'merged' && known.into === into && (head === undefined || known.head === head));

/** A host's word as a `Mergeability`: whatever is not in the table is a rule that is not met. */
export const wordOf = (table: Readonly<Record<string, Mergeability>>, word: string): Mergeability =>
  Object.hasOwn(table, word) ? (table[word] ?? 'blocked') : 'blocked';

export const hasNextPage = (link: string | null | undefined) => /;\s*rel="?next"?/.test(link ?? '');
