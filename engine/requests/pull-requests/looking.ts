/** What one process remembers of the pull requests that it follows, from one look to the next: all of it can be asked again. */
import type {
  BacktrailError,
  LedgerRequest,
  ObjectId,
  Proposed,
  PullRequestDetails,
  RequestId,
} from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { isWaiting } from '../../record/transitions.ts';
import type { Authorized } from '../../rollback/batch/round.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { RequestContext, Rules } from '../context.ts';
import type { LedgerCache, LedgerSnapshot } from '../ledger/snapshot.ts';

/** One look. */
export interface Following {
  readonly context: RequestContext;
  readonly rules: Rules;
  readonly ledgerSnapshot: LedgerSnapshot;
  readonly snapshot: Snapshot;
  /** The host is asked now, however long ago it was asked last. */
  readonly isAsked: boolean;
}

/** All that one branch of ours brings, the request itself included. */
export async function sharingBranch(
  ledgerSnapshot: LedgerSnapshot,
  { proposed }: LedgerRequest,
): Promise<readonly RequestFile[]> {
  const waiting = await ledgerSnapshot.find(({ status }) => isWaiting(status));
  return waiting.filter(({ state }) => state.proposed !== null && state.proposed.branch === proposed?.branch);
}

export interface Looking {
  /** Plans that were found to be what was approved, on the tip of that moment. */
  readonly plans: Map<RequestId, Authorized>;
  /** By number, as they were read last. */
  readonly details: Map<number, ReadDetails>;
  /** Milliseconds since 1970: when the host may be asked for the open ones again. */
  nextListAt: number;
  /** Why they could not be listed last. */
  listProblem: BacktrailError | null;
  /** By request: where its host refused the last time, and until when it is not asked again. */
  readonly rests: Map<RequestId, Rest>;
  /** By request: what was proposed for it, as it was found to be what was approved, or was made here (`nameOfProposal`). */
  readonly borneOut: Map<RequestId, string>;
  /** By request, where no host is asked: when its branch was looked at last, and since when it is gone. */
  readonly branches: Map<RequestId, SeenBranch>;
  /** Looks in a row that saw nothing new. */
  quiet: number;
  /** Whether it is to be judged again at this tip and time. */
  isDue(state: LedgerRequest, base: ObjectId, now: number): boolean;
  checked(state: LedgerRequest, base: ObjectId, now: number): void;
  /** Whether it was found to go ahead at this tip. */
  isChecked(state: LedgerRequest, base: ObjectId): boolean;
  /** Forgets all others. */
  keep(states: readonly LedgerRequest[]): void;
}

interface Rest {
  readonly tip: ObjectId | undefined;
  readonly error: BacktrailError;
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Milliseconds: for so long after a first refusal, and at most. */
const REST_MS = 20_000;
const LONGEST_REST_MS = 10 * 60_000;

/** null: it may be asked. */
export function restOf(look: Looking, { id, proposed }: LedgerRequest, now: number): Rest | null {
  const rest = look.rests.get(id);
  return rest !== undefined && rest.tip === proposed?.tip && now < rest.until ? rest : null;
}

/** What its host, or what is known of that, says no with: it is asked again at growing intervals. */
const OF_HOST: ReadonlySet<string> = new Set([
  'HOST_UNAVAILABLE',
  'HOST_DENIED',
  'HOST_REFUSED',
  'HOST_NOT_ALLOWED',
  'METHOD_REFUSED',
]);

export const isOfHost = ({ code }: BacktrailError) => OF_HOST.has(code);

/** `error` null: it answered. */
export function answeredWith(
  look: Looking,
  { id, proposed }: LedgerRequest,
  { error, now }: { readonly error: BacktrailError | null; readonly now: number },
): void {
  const known = look.rests.get(id);
  const failures = known?.tip === proposed?.tip ? (known?.failures ?? 0) : 0;
  const until = now + Math.min(REST_MS * 2 ** failures, LONGEST_REST_MS);
  if (error === null) look.rests.delete(id);
  else look.rests.set(id, { tip: proposed?.tip, error, failures: failures + 1, until });
}

/** Milliseconds since 1970. */
interface SeenBranch {
  readonly at: number;
  readonly goneSince: number | null;
}

/** All that the ledger says of it, as one text. */
export function nameOfProposal(proposed: Proposed): string {
  const { via, branch, base, commit, deliveryCommit, tip, messages, change, together = null } = proposed;
  const { revert, delivery, whole } = change;
  const said = [messages.revert, messages.delivery, revert, delivery, whole, together];
  return JSON.stringify([via, branch, base, commit, deliveryCommit, tip, ...said]);
}

/**
 * As it was proposed last: also of one that reviewers are asked about again, whose pull request may be there as a draft, or that is at its end. null
 * where it never was.
 */
export function lastProposed({ state, events }: RequestFile): LedgerRequest | null {
  if (state.proposed !== null) return state;
  const last = events.findLast(({ type }) => type === 'proposed');
  if (last?.type !== 'proposed') return null;
  const linked = events.findLast(({ type }) => type === 'linked');
  return { ...state, proposed: last.proposed, link: linked?.type === 'linked' ? linked.link : null };
}

interface ReadDetails {
  readonly details: PullRequestDetails;
  /** The tip of the branch that it is for, as it was known then. */
  readonly base: ObjectId;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Milliseconds. */
const JUDGED_EVERY = 60_000;

const LOOKS = new WeakMap<LedgerCache, Looking>();

export function lookOf({ cache }: Pick<RequestContext, 'cache'>): Looking {
  const known = LOOKS.get(cache);
  if (known) return known;
  const judged = new Map<RequestId, { readonly key: string; readonly at: number }>();
  const keyOf = ({ digest, proposed, updatedAt }: LedgerRequest, base: ObjectId) =>
    JSON.stringify([digest, proposed?.tip, updatedAt, base]);
  const look: Looking = {
    plans: new Map(),
    details: new Map(),
    nextListAt: 0,
    listProblem: null,
    rests: new Map(),
    borneOut: new Map(),
    branches: new Map(),
    quiet: 0,
    isDue: (state, base, now) => {
      const last = judged.get(state.id);
      return last?.key !== keyOf(state, base) || now - last.at >= JUDGED_EVERY;
    },
    checked: (state, base, at) => void judged.set(state.id, { key: keyOf(state, base), at }),
    isChecked: (state, base) => judged.get(state.id)?.key === keyOf(state, base),
    keep: (states) => {
      const [ids, numbers] = [
        new Set(states.map(({ id }) => id)),
        new Set(states.map(({ link }) => link?.number)),
      ];
      for (const map of [look.plans, look.rests, look.borneOut, look.branches, judged])
        for (const id of map.keys()) if (!ids.has(id)) map.delete(id);
      for (const number of look.details.keys()) if (!numbers.has(number)) look.details.delete(number);
    },
  };
  LOOKS.set(cache, look);
  return look;
}
