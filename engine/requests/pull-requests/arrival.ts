/**
 * Finds what was proposed on the branch: by what commits of the first-parent line change, whatever became of their messages. A host that merges
 * gives them other ids, parents, authors and texts; what they change stays.
 */
import {
  type Arrival,
  isFailure,
  type LedgerRequest,
  type LogCommit,
  type ObjectId,
  type PathChange,
  type Proposed,
  type RequestId,
} from '../../model/index.ts';
import type { Planned } from '../../rollback/planning/planned.ts';
import { planRequested } from '../../rollback/plan.ts';
import { makeSnapshot, type Snapshot } from '../../snapshot/snapshot.ts';
import type { RequestContext } from '../context.ts';
import type { LedgerCache } from '../ledger/snapshot.ts';
import { lookAt, type SeenCommit } from '../arrivals/seen-commit.ts';
import { writtenHold } from '../arrivals/written-hold.ts';

/** A rollback that is on the branch now. */
export interface Landed {
  readonly commit: ObjectId;
  /** null also where `commit` brings both. */
  readonly deliveryCommit: ObjectId | null;
  readonly how: Arrival;
  /** What the ledger has to name first, where the host wrote other files than were proposed. */
  readonly proposed?: Proposed;
}

type Waiting = Pick<LedgerRequest, 'id'> & { readonly proposed: Proposed };

/** Of the newest commits: what came before them was seen in its time. */
const NEWEST = 10_000;
/** Remembered. */
const MOST = 2 * NEWEST;

/** By what remembers an open repository: commits never change. */
const DIGESTS = new WeakMap<LedgerCache, Map<ObjectId, SeenCommit>>();

/** Those of them that the branch holds at this tip. */
export async function findLanded(
  { git, cache }: Pick<RequestContext, 'git' | 'cache'>,
  snapshot: Snapshot,
  waiting: readonly Waiting[],
): Promise<ReadonlyMap<RequestId, Landed>> {
  const landed = new Map<RequestId, Landed>();
  if (waiting.length === 0) return landed;
  const line = await snapshot.history.firstParents(snapshot.base);
  const places = new Map(line.map((commit, index) => [commit, index]));
  // Before what it was proposed on, an earlier rollback may have changed the same.
  const farthest = snapshot.history.shallow ? line.length : 0;
  const since = ({ proposed }: Waiting) => Math.min(places.get(proposed.base) ?? farthest, NEWEST);
  const commits = await seenOf({ git, cache }, line.slice(0, Math.max(...waiting.map(since))));
  for (const each of waiting) {
    const found = findOne(commits.slice(0, since(each)), each);
    if (found !== null) landed.set(each.id, found);
  }
  return landed;
}

/** Newest first. */
async function seenOf(
  { git, cache }: Pick<RequestContext, 'git' | 'cache'>,
  line: readonly ObjectId[],
): Promise<readonly SeenCommit[]> {
  const seen = DIGESTS.get(cache) ?? new Map<ObjectId, SeenCommit>();
  DIGESTS.set(cache, seen);
  if (seen.size > MOST) seen.clear();
  await lookAt(git, line, seen);
  return line.flatMap((id) => seen.get(id) ?? []);
}

/** `commits`: after what it was proposed on, newest first. The oldest that brings it counts. */
function findOne(commits: readonly SeenCommit[], { id, proposed }: Waiting): Landed | null {
  const { change, together } = proposed;
  for (let at = commits.length - 1; at >= 0; at -= 1) {
    const each = commits[at];
    if (each === undefined) continue;
    const { commit, digest } = each;
    const isMerge = commit.parents.length > 1;
    // Commits as they were written, one after the other: rebased, or forwarded to.
    if (!isMerge && digest === change.revert && isOurs(commit, id, proposed)) {
      const next = commits[at - 1];
      const how = commit.id === proposed.commit ? 'merge' : 'rebase';
      if (change.delivery === null) return { commit: commit.id, deliveryCommit: null, how };
      if (next?.digest === change.delivery) return { commit: commit.id, deliveryCommit: next.commit.id, how };
    }
    if (digest === (together ?? change.whole))
      return { commit: commit.id, deliveryCommit: null, how: isMerge ? 'merge' : 'squash' };
  }
  return null;
}

/** Its message is the one that was written, so that a commit of one change alone can be told from a squash. */
function isOurs({ trailers, subject }: LogCommit, id: RequestId, { messages }: Proposed): boolean {
  return subject === subjectOf(messages.revert) && trailers.includes(`Rollback-Request-ID: ${id}`);
}

export const subjectOf = (message: string) => message.split('\n', 1)[0] ?? '';

/** A host's commit that was to bring them: whether it does, and where it differs. */
export interface Judged {
  readonly isOurs: boolean;
  /** Paths that it should have changed otherwise, or not at all; at most ten. */
  readonly differing: readonly string[];
}

const SHOWN = 10;

/**
 * Whether a commit changes exactly what these requests change on its own first parent: where others changed the same files meanwhile, a host that
 * merges writes files that nobody has proposed.
 */
export async function judgeMerged(
  context: RequestContext,
  snapshot: Snapshot,
  { written, requests }: { readonly written: LogCommit; readonly requests: readonly LedgerRequest[] },
): Promise<Judged> {
  const meant = new Map<string, PathChange['after']>();
  for (const request of requests) {
    const planned = await meantOn(context, snapshot, request, written);
    if (planned === null) return { isOurs: false, differing: pathsOf(written.changes) };
    for (const [path, after] of [...planned.revert, ...planned.delivery]) meant.set(path, after);
  }
  const differing = differingFrom(written, meant);
  return { isOurs: differing.length === 0 && meant.size > 0, differing };
}

/** What a rollback writes. */
export interface Meant {
  readonly planned: Planned;
  readonly revert: Files;
  readonly delivery: Files;
}

type Files = ReadonlyMap<string, PathChange['after']>;

/** What the request changes on the first parent of this commit; null where it cannot be planned there. */
export async function meantOn(
  context: RequestContext,
  { branch, layout, reader, history, hasher }: Snapshot,
  request: LedgerRequest,
  written: LogCommit,
): Promise<Meant | null> {
  const [base] = written.parents;
  if (base === undefined) return null;
  const { programs, clock } = context;
  try {
    const there = makeSnapshot({ branch, base, layout, reader, history, hasher });
    const planned = await planRequested(there, request, { programs, clock });
    const { plan, delivery } = planned;
    const revert = new Map(plan.files.map(({ path, after }) => [path, after]));
    const hold = await writtenHold(context, there, { plan, request, changes: written.changes });
    if (hold) revert.set(hold.path, hold.after);
    return { planned, revert, delivery: new Map(delivery.outputs.map(({ path, after }) => [path, after])) };
  } catch (error) {
    if (isFailure(error)) return null;
    throw error;
  }
}

/** Paths where the commit does not change exactly this; at most ten. */
export function differingFrom({ changes }: LogCommit, meant: Files): readonly string[] {
  const made = new Map(changes.map(({ path, after }) => [path, after]));
  return [...new Set([...meant.keys(), ...made.keys()])]
    .filter((path) => {
      const [one, other] = [made.get(path), meant.get(path)];
      return !made.has(path) || !meant.has(path) || one?.id !== other?.id || one?.mode !== other?.mode;
    })
    .slice(0, SHOWN);
}

const pathsOf = (changes: readonly PathChange[]) => changes.slice(0, SHOWN).map(({ path }) => path);
