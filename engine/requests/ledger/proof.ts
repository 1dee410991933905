/** Who wrote the events of a file, as far as keys prove it, and that nothing of its past was changed. */
import {
  type Authentication,
  type EventId,
  isSessionId,
  type ObjectId,
  type RequestEvent,
  type SessionEvent,
  type Signature,
} from '../../model/index.ts';
import { newerForm, type RequestFile, type SessionFile } from '../../record/ledger-file.ts';
import { LEDGER_FORM } from '../../record/ledger-message.ts';
import { samePerson } from '../../policy/policy.ts';
import { vouchedBy } from '../../policy/vouched.ts';
import type { LedgerCommit, Version } from './commits.ts';
import { type LedgerSnapshot, type Kind, REQUESTS, SESSIONS, tampered, textOf } from './snapshot.ts';
import { isServed, type RequestContext } from '../context.ts';
import { signaturesOf } from './signed.ts';
import { type Dated, eventTimes, isFuture } from './times.ts';

export interface Proof {
  readonly commit: ObjectId;
  /** A key that this machine trusts signed it for its actor. */
  readonly verified: boolean;
  /** Some key signed it; whose, is for those to say who know the keys. */
  readonly signed: boolean;
  /** By a key that the list here does not have at all: whoever has it in theirs can say whose it is. */
  readonly unlisted: boolean;
  /** By the key of a server, which signs for people. Absent: no. */
  readonly server?: true;
  /** By a server's key, for a decision of a person, and it does not say how the server knew them: it counts for nobody. Absent: no. */
  readonly unsaid?: true;
  /** It says that a server knew who acted, whoever signed it. Absent: no. */
  readonly served?: true;
  /** Fingerprint of the key. */
  readonly key: string | null;
  /** When it happened, milliseconds since 1970: see `eventTimes`. */
  readonly time: number;
  /** It is dated later than this machine's clock, so that it does not count. */
  readonly future: boolean;
  /** What it proves where the clock has come so far. Absent: it is not of the future. */
  readonly later?: Pick<Proof, 'verified' | 'signed' | 'unlisted'>;
}

export type Proofs = ReadonlyMap<EventId, Proof>;

/**
 * Holds each version of a file against the one before it: every commit added one event, its own, and changed nothing else.
 * LEDGER_TAMPERED, LEDGER_NEWER. Gives the proof of each event.
 */
export async function proveRequest(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  file: RequestFile,
): Promise<Proofs> {
  return prove(context, ledgerSnapshot, file, REQUESTS);
}

export async function proveSession(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  file: SessionFile,
): Promise<Proofs> {
  return prove(context, ledgerSnapshot, file, SESSIONS);
}

/**
 * Looks at the signatures of many requests at once, so that the proof of each finds them known: git is started for some hundred commits,
 * not for every request.
 */
export async function readSignaturesOf(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  files: readonly (RequestFile | SessionFile)[],
): Promise<void> {
  const commits: LedgerCommit[] = [];
  const times = new Map<ObjectId, number>();
  for (const { state, events } of files) {
    const versions = await ledgerSnapshot.versions(
      (isSessionId(state.id) ? SESSIONS : REQUESTS).pathOf(state.id),
    );
    if (versions.length !== events.length) continue;
    for (const [id, time] of await eventTimes(context, ledgerSnapshot, datedOf(versions, events)))
      times.set(id, time);
    commits.push(...versions.map(({ commit }) => commit));
  }
  await signaturesOf(context, commits, times);
}

const datedOf = (versions: readonly Version[], events: readonly AnyEvent[]): Dated[] =>
  versions.map(({ commit }, index) => ({ commit, at: Date.parse(events[index]?.at ?? '') }));

type AnyEvent = RequestEvent | SessionEvent;

interface Lived {
  readonly state: { readonly id: string };
  readonly events: readonly AnyEvent[];
}

type Parse = (text: string, path: string) => Lived;

async function prove<File extends Lived>(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  file: File,
  { pathOf, parse }: Kind<File>,
): Promise<Proofs> {
  const path = pathOf(file.state.id);
  const versions = await ledgerSnapshot.versions(path);
  for (const { commit } of versions) requireKnownForm(commit, path);
  if (versions.length !== file.events.length) throw tampered(path, 'has more or fewer commits than events');
  let before: readonly AnyEvent[] = [];
  for (const version of versions) {
    const { events } = await read(context, path, version, parse);
    requireOneMore(path, { before, events, version });
    before = events;
  }
  if (JSON.stringify(before) !== JSON.stringify(file.events))
    throw tampered(path, 'is not what its commits made it');
  const times = await eventTimes(context, ledgerSnapshot, datedOf(versions, file.events));
  const signatures = await signaturesOf(
    context,
    versions.map(({ commit }) => commit),
    times,
  );
  return new Map(
    versions.map(({ commit }, index) => {
      const event = file.events[index];
      const time = times.get(commit.id) ?? commit.time;
      const proof = { ...proofOf(commit, event, signatures.get(commit.id)), time };
      return [event?.id ?? '', isFuture(context, time) ? notYet(proof) : proof];
    }),
  );
}

/** @throws LEDGER_NEWER */
export function requireKnownForm({ id, form }: LedgerCommit, path: string): void {
  if (form > LEDGER_FORM) throw newerForm(`The commit ${id.slice(0, 10)} of the ledger`, form, path);
}

async function read(
  { git }: RequestContext,
  path: string,
  { blob }: Version,
  parse: Parse,
): Promise<{ readonly events: readonly AnyEvent[] }> {
  if (blob === null) throw tampered(path, 'was removed once');
  return parse(await textOf(git, path, blob), path);
}

function requireOneMore(
  path: string,
  { before, events, version }: { before: readonly AnyEvent[]; events: readonly AnyEvent[]; version: Version },
): void {
  const { commit } = version;
  const last = events.at(-1);
  const where = `at ${commit.id.slice(0, 10)}`;
  if (commit.parents.length > 1) throw tampered(path, `was written by a merge, ${where}`);
  if (events.length !== before.length + 1 || JSON.stringify(events.slice(0, -1)) !== JSON.stringify(before))
    throw tampered(path, `has a past that was changed, ${where}`);
  if (version.added?.id !== last?.id || version.added?.event !== last?.type)
    throw tampered(path, `holds another event than its commit says, ${where}`);
}

/** No one vouches now for what is said to happen later. */
function notYet(proof: Proof): Proof {
  const { verified, signed, unlisted } = proof;
  const later = { verified, signed, unlisted };
  return { ...proof, verified: false, signed: false, unlisted: false, future: true, later };
}

/** What people decide. The rest is written by whoever executes, in their own name. */
const DECISIONS: readonly string[] = ['opened', 'approved', 'rejected', 'inspected', 'session-opened'];

/** Whether a server that signed this left out how it knew who decided. */
export const isUnexplained = ({
  type,
  authenticated,
}: {
  readonly type: string;
  readonly authenticated?: Authentication;
}): boolean => authenticated === undefined && DECISIONS.includes(type);

/** Of an event that nobody signed, `time` in milliseconds since 1970. */
export const unsignedProof = (commit: ObjectId, time: number): Proof => ({
  commit,
  verified: false,
  signed: false,
  unlisted: false,
  key: null,
  future: false,
  time,
});

/** Whoever wrote the commit is whoever acted: a signature vouches for both or for neither. */
function proofOf(
  commit: LedgerCommit,
  event: AnyEvent | undefined,
  signature?: Signature,
): Omit<Proof, 'time'> {
  const actor = event?.actor.email ?? '';
  const own = samePerson(commit.author.email, actor);
  const state = signature?.state ?? 'none';
  const by = signature === undefined ? null : vouchedBy(signature, actor);
  const isUnsaid = by === 'server' && event !== undefined && isUnexplained(event);
  return {
    commit: commit.id,
    verified: own && by !== null && !isUnsaid,
    ...(own && by === 'server' && { server: true as const }),
    ...(isUnsaid && { unsaid: true as const }),
    ...(event !== undefined && isServed(event) && { served: true as const }),
    signed: own && (state === 'good' || state === 'unknown'),
    unlisted: own && signature?.unlisted === true,
    key: signature?.key ?? null,
    future: false,
  };
}
