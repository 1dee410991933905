/** Everything that the ledger has of a period: the chain of its commits, what they add, and whose keys signed them. */
import { emailKey, isRequestId, type ObjectId, type RequestId } from '../../model/index.ts';
import { type Proofs, proveSession, readSignaturesOf } from '../../requests/ledger/proof.ts';
import type { LedgerCommit } from '../../requests/ledger/commits.ts';
import type { SessionFile } from '../../record/ledger-file.ts';
import { failureOf } from '../failures.ts';
import type { LedgerAudit } from '../ledger/ledger.ts';
import { idAt } from '../ledger/whole.ts';
import { type Period, placesWithin } from './period.ts';

/** A commit of the ledger, and which key of whom signed all that it adds. */
export interface ChainLink {
  readonly commit: ObjectId;
  /** null: no trusted key of the actor did. */
  readonly signed: { readonly email: string; readonly key: string } | null;
}

export interface ProvenSession {
  readonly file: SessionFile;
  readonly proofs: Proofs;
}

export interface Population {
  /** The commit before the first one. */
  readonly before: ObjectId | null;
  /** Oldest first. */
  readonly chain: readonly ChainLink[];
  readonly events: number;
  /** With an event in the period, in their order. */
  readonly requests: readonly RequestId[];
  readonly states: Readonly<Record<string, number>>;
  /** All of the ledger, newest first. */
  readonly sessions: readonly ProvenSession[];
}

/** Requests that are proven together. */
const TOGETHER = 200;

export async function populationOf(ledger: LedgerAudit, period: Period, now: number): Promise<Population> {
  const nothing = { before: null, chain: [], events: 0, requests: [], states: {}, sessions: [] };
  // Why it cannot be read is among the problems of the ledger.
  const all = await ledger.snapshot.commits().catch((error: unknown) => {
    failureOf(error);
    return null;
  });
  if (ledger.tip === null || all === null) return nothing;
  const { first, end } = placesWithin(
    all.map(({ time }) => time),
    period,
    now,
  );
  const commits = all.slice(first, end);
  const ids = [...new Set(commits.flatMap(({ files }) => files.flatMap(({ path }) => idAt(path) ?? [])))];
  const requests = ids.filter((id) => isRequestId(id));
  const vouched = createVouched(commits);
  const states: Record<string, number> = {};
  for (let from = 0; from < requests.length; from += TOGETHER) {
    const some = requests.slice(from, from + TOGETHER);
    await ledger.expect(some);
    for (const id of some) {
      const known = await ledger.request(id);
      if (known === null || known.problem !== null) continue;
      const { file, proofs } = known;
      states[file.state.status] = (states[file.state.status] ?? 0) + 1;
      vouched.add(file.events, proofs);
    }
  }
  const sessions = await sessionsOf(ledger);
  for (const { file, proofs } of sessions) vouched.add(file.events, proofs);
  return {
    before: all[first - 1]?.id ?? null,
    chain: commits.map(({ id }) => ({ commit: id, signed: vouched.of(id) })),
    events: commits.reduce((sum, commit) => sum + eventsIn(commit), 0),
    requests,
    states,
    sessions,
  };
}

const eventsIn = ({ batch, files }: LedgerCommit) => batch?.items.length ?? files.length;

/** Collects which commits are signed as a whole: of several events, all by one key. */
function createVouched(commits: readonly LedgerCommit[]) {
  const left = new Map(commits.map((commit) => [commit.id, eventsIn(commit)]));
  const signed = new Map<ObjectId, { readonly email: string; readonly key: string }>();
  return {
    add(
      events: readonly { readonly id: string; readonly actor: { readonly email: string } }[],
      proofs: Proofs,
    ): void {
      for (const { id, actor } of events) {
        const proof = proofs.get(id);
        const count = proof && left.get(proof.commit);
        if (proof === undefined || count === undefined || !proof.verified || proof.key === null) continue;
        left.set(proof.commit, count - 1);
        signed.set(proof.commit, { email: emailKey(actor.email), key: proof.key });
      }
    },
    of: (id: ObjectId) => (left.get(id) === 0 ? (signed.get(id) ?? null) : null),
  };
}

async function sessionsOf({ context, snapshot }: LedgerAudit): Promise<readonly ProvenSession[]> {
  const proven: ProvenSession[] = [];
  try {
    const files = await snapshot.sessions();
    await readSignaturesOf(context, snapshot, files);
    for (const file of files) proven.push({ file, proofs: await proveSession(context, snapshot, file) });
  } catch (error) {
    failureOf(error);
  }
  return proven;
}
