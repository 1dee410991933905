/** What the ledger gained after a position, oldest first: for whoever follows it. */
import { type Actor, BacktrailError, type ObjectId } from '../../model/index.ts';
import { hasPermission } from '../../policy/policy.ts';
import { isServed, readRules, type RequestContext } from '../context.ts';
import type { LedgerEvent, LedgerEvents, Requests } from '../types.ts';
import { type Chosen, environmentOf, judged, readEntries } from './audit.ts';
import { type LedgerCommit, readCommits } from './commits.ts';
import { type LedgerSnapshot, openLedgerSnapshot } from './snapshot.ts';

/** Before the first event. */
const BEGINNING = '0';

export async function events(
  context: RequestContext,
  { after, since, states = false, limit }: Parameters<Requests['events']>[0],
): Promise<LedgerEvents> {
  const from = after === undefined ? null : parsePosition(after);
  const { policy, ref, snapshot } = await readRules(context);
  const tenanted = snapshot?.layout.hasTenant ?? false;
  const place = (scope: string) => environmentOf(scope, tenanted);
  const mayRead = (reader: Actor, scope: string) =>
    (snapshot !== null || !isServed(reader)) && hasPermission(policy, reader, 'read', place(scope));
  const ledgerSnapshot = await openLedgerSnapshot(context.git, ref, context.cache);
  if (from === null) {
    const now = since === undefined ? newest(context, ledgerSnapshot) : newestBefore(ledgerSnapshot, since);
    return { events: [], position: await now, hasMore: false, mayRead, environmentOf: place };
  }
  const [commits, skip] = await commitsFrom(ledgerSnapshot, from);
  const found: (Chosen & { readonly position: string })[] = [];
  let last = after ?? BEGINNING;
  let hasMore = false;
  for (const [index, commit] of commits.entries()) {
    const all = (await readEntries(context, ledgerSnapshot, commit)).toReversed();
    const left = index === 0 ? all.slice(skip) : all;
    const some = left.slice(0, limit - found.length);
    const begin = all.length - left.length;
    for (const [at, audited] of some.entries())
      found.push({ ...audited, commit, position: positionAt(commit, begin + at + 1) });
    last = found.at(-1)?.position ?? last;
    hasMore = some.length < left.length || (found.length >= limit && index < commits.length - 1);
    if (hasMore) break;
  }
  const entries = await judged(context, ledgerSnapshot, found);
  const made = entries.map(
    (entry, index): LedgerEvent => ({
      position: found[index]?.position ?? '',
      ...entry,
      ...(states && found[index]?.state && { state: found[index].state }),
    }),
  );
  return { events: made, position: last, hasMore, mayRead, environmentOf: place };
}

/** The position after which all commits are not older: dates are claims, and the order is the ledger's. */
async function newestBefore(ledgerSnapshot: LedgerSnapshot, since: number): Promise<string> {
  const older = (await ledgerSnapshot.commits()).findLast(({ time }) => time < since);
  return older === undefined ? BEGINNING : endOf(older);
}

/** The position of the newest event. */
export async function newest(context: RequestContext, { tip }: LedgerSnapshot): Promise<string> {
  if (tip === null) return BEGINNING;
  const [commit] = await readCommits(context.git, { tip, latest: 0, limit: 1 });
  return commit === undefined ? BEGINNING : endOf(commit);
}

const endOf = (commit: LedgerCommit) => positionAt(commit, commit.form === 2 ? commit.files.length : 1);
const positionAt = ({ id }: Pick<LedgerCommit, 'id'>, number: number) => `${id}.${Math.max(number, 1)}`;

export interface Position {
  /** null: before the first. */
  readonly commit: ObjectId | null;
  /** Of the event in its commit, from 1. */
  readonly number: number;
}

/** @throws INVALID_REQUEST */
export function parsePosition(text: string): Position {
  if (text === BEGINNING) return { commit: null, number: 0 };
  const [, commit, number] = /^([0-9a-f]{40}|[0-9a-f]{64})\.([1-9]\d{0,5})$/.exec(text) ?? [];
  if (commit !== undefined) return { commit, number: Number(number) };
  throw new BacktrailError(
    'INVALID_REQUEST',
    `${JSON.stringify(text.slice(0, 80))} is not the id of an event.`,
    {
      hint: 'Write it as the ledger’s commit and the number of the event in it, COMMIT.NUMBER; 0 is before the first.',
    },
  );
}

/** The commits from that of a position on, oldest first, and how many events of the first of them lie before it. @throws EVENT_UNKNOWN */
export async function commitsFrom(
  ledgerSnapshot: LedgerSnapshot,
  { commit, number }: Position,
): Promise<[commits: readonly LedgerCommit[], skip: number]> {
  const commits = await ledgerSnapshot.commits();
  if (commit === null) return [commits, 0];
  const at = commits.findLastIndex(({ id }) => id === commit);
  if (at >= 0) return [commits.slice(at), number];
  throw new BacktrailError(
    'EVENT_UNKNOWN',
    `The ledger holds no event ${commit.slice(0, 12)}.${number}: it is another one than this id was of.`,
  );
}
