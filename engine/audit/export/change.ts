/** One change: who asked, who agreed and by which key, by which policy, what it made, and what an audit says of it. */
import {
  type Coordinates,
  ENGINE,
  type EventId,
  type FileDifference,
  formatCoordinates,
  isObjectId,
  type LedgerRequest,
  type ObjectId,
  type RequestEvent,
  type RequestId,
} from '../../model/index.ts';
import { CONFIG_PATH } from '../../model/config.ts';
import type { Layout } from '../../layout/layout.ts';
import { environmentsOf } from '../../plan/owners.ts';
import { samePerson } from '../../policy/policy.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { readResume } from '../../record/read.ts';
import type { Proofs } from '../../requests/ledger/proof.ts';
import { nameOf } from '../../requests/gate/owners.ts';
import { treeView } from '../../snapshot/view.ts';
import type { Audit } from '../audit.ts';
import { changesBetween } from '../commit/changes.ts';
import { readClaim } from '../commit/claim.ts';
import { snapshotOn } from '../commit/recompute.ts';
import { type CommitText, readCommit } from '../line/commit-text.ts';
import { failureOf } from '../failures.ts';
import { verdictOf } from '../problems.ts';
import type { AuditRow } from '../types.ts';
import { type Budget, type Differences, differencesOf } from './difference.ts';
import { isoOf } from './period.ts';
import { signedBy } from './people.ts';
import { type Ground, type Ruled, ruledBy } from './rules.ts';
import type { ExportedChange, ExportedVote, GlassReview, Signed } from './types.ts';

/** What is exported: a row of the audit, a request of the ledger, or both. */
export interface Subject {
  readonly row: AuditRow | null;
  readonly requestId: RequestId;
  readonly within: ExportedChange['within'];
}

/** With what only other parts of the export need. */
export interface Made {
  readonly change: ExportedChange;
  /** Tree of the commit of its manifests. */
  readonly deliveryTree: ObjectId | null;
  /** The review of its use of break-glass. */
  readonly review: GlassReview | null;
  /** Its target is on the branch. */
  readonly isTargetOnLine: boolean;
  /** What it is of, by the ledger; null: that does not say, or a row of the audit does. */
  readonly of: Coordinates | null;
}

interface Known {
  readonly file: RequestFile;
  readonly proofs: Proofs;
}

export async function changeOf(
  audit: Audit,
  { row, requestId, within }: Subject,
  budget: Budget,
): Promise<Made> {
  const { line, ledger } = audit;
  const known = requestId === '' ? null : await ledger.request(requestId);
  const unproven = known?.problem ?? null;
  const record: Known | null = known === null || known.problem !== null ? null : known;
  const state = record?.file.state ?? null;
  const commit = row !== null && line.places.has(row.commit) ? await readAt(audit, row.commit) : null;
  const base = commit === null ? (state?.base ?? null) : (commit.parents[0] ?? null);
  const ground = base === null ? null : await groundOf(audit, { base, commit, state }, budget);
  const ruled = ground?.ground && ruledBy(audit, ground.ground, record);
  const said = saidBy(commit, row);
  const asked =
    record === null ? askedIn(commit, said.author) : eventBy(record, ({ type }) => type === 'opened');
  const completed = record && eventBy(record, ({ type }) => type === 'completed', 'last');
  const votes = record === null ? [] : votesOf(record, ruled, asked);
  const target = state?.target ?? said.target;
  const { difference, omitted } = ground?.differences ?? NO_DIFFERENCE;
  const change: ExportedChange = {
    requestId,
    within,
    kind: row?.kind ?? (state?.resume ? 'resume' : 'rollback'),
    scope: row?.scope ?? (state === null ? '' : formatCoordinates(state.scope)),
    mode: row?.mode ?? state?.scope.mode ?? null,
    fields: state?.scope.fields ?? said.fields,
    reason: state?.justification ?? said.reason,
    status: state?.status ?? null,
    asked,
    votes,
    executed: completed ?? committed(commit),
    breakGlass: state?.breakGlass
      ? { session: state.breakGlass.session, ticket: state.breakGlass.ticket }
      : null,
    policy:
      ground?.ground && ruled
        ? { base: ground.ground.base, config: ground.ground.config, rules: ruled.rules }
        : null,
    commit: row?.commit ?? (state?.result && 'commit' in state.result ? state.result.commit : null),
    tree: commit?.tree ?? null,
    base,
    target,
    deliveryCommit: row?.deliveryCommit ?? null,
    how: row?.how ?? null,
    difference,
    omitted,
    times: {
      asked: asked?.at ?? null,
      approved: votes.findLast(({ counts, decision }) => counts && decision === 'approved')?.at ?? null,
      published: row === null || row.time === null ? null : isoOf(Date.parse(row.time)),
      completed: completed?.at ?? null,
    },
    audit: judgedOf(row ?? (unproven && { verdict: verdictOf([unproven]), problems: [unproven] })),
  };
  return {
    change,
    deliveryTree: await treeOf(audit, change.deliveryCommit),
    review: record && reviewOf(record, ruled, asked),
    isTargetOnLine: target !== null && line.places.has(target),
    of: row === null ? (state?.scope ?? null) : null,
  };
}

const judgedOf = (judged: NonNullable<ExportedChange['audit']> | null): ExportedChange['audit'] =>
  judged && { verdict: judged.verdict, problems: judged.problems };

const NO_DIFFERENCE: Differences = { difference: [] satisfies FileDifference[], omitted: 0 };

const readAt = async ({ reader }: Audit, id: ObjectId) => readCommit(id, await reader.commitBytes(id));

async function treeOf({ line, reader }: Audit, commit: ObjectId | null): Promise<ObjectId | null> {
  if (commit === null || !line.places.has(commit)) return null;
  return (await reader.objects.commit(commit)).tree;
}

interface Standing {
  readonly base: ObjectId;
  readonly commit: CommitText | null;
  readonly state: LedgerRequest | null;
}

/** The configuration that it was made by, and what it changed. */
async function groundOf(
  audit: Audit,
  { base, commit, state }: Standing,
  budget: Budget,
): Promise<{ readonly ground: Ground | null; readonly differences: Differences }> {
  const { reader, line, branch } = audit;
  // Of what the ledger alone says, only what is on the branch counts.
  if (!line.places.has(base)) return { ground: null, differences: NO_DIFFERENCE };
  let differences = NO_DIFFERENCE;
  try {
    const { tree } = await reader.objects.commit(base);
    const found = await configurationAt(audit, tree);
    const snapshot = found && snapshotOn(reader, { branch, base, layout: found.layout });
    const changes = commit === null ? [] : (await changesBetween(reader, tree, commit.tree)).changes;
    differences = await differencesOf(snapshot, changes, budget);
    if (found === null || snapshot === null) return { ground: null, differences };
    const changed = await environmentsOf(snapshot, changes);
    const owners = changed.length === 0 && state !== null ? [nameOf(state)] : changed;
    return { ground: { base, ...found, owners }, differences };
  } catch (error) {
    // What cannot be read is a problem of its row; anything else fails.
    failureOf(error);
    return { ground: null, differences };
  }
}

/** null: there is none, or none that can be read. */
export async function configurationAt(
  { reader, configurations }: Audit,
  tree: ObjectId,
): Promise<{ readonly config: ObjectId; readonly layout: Layout } | null> {
  const { layout } = await configurations(tree, ENGINE);
  const entry = await treeView(reader.objects, tree).entry(CONFIG_PATH);
  return layout === null ? null : { config: entry?.id ?? '', layout };
}

interface Said {
  /** Email. */
  readonly author: string;
  readonly reason: string;
  readonly target: ObjectId | null;
  readonly fields: readonly string[];
}

/** What the commit itself says. */
function saidBy(commit: CommitText | null, row: AuditRow | null): Said {
  if (commit === null || row === null) return { author: '', reason: '', target: null, fields: [] };
  if (row.kind === 'resume') {
    const { author = '', justification = '' } = readResume(commit.trailers)?.record ?? {};
    return { author, reason: justification, target: null, fields: [] };
  }
  const { author, justification, target, fields } = readClaim(commit.trailers).record;
  return { author, reason: justification, target: isObjectId(target) ? target : null, fields };
}

/** Without a ledger nobody vouches for it. */
function askedIn(commit: CommitText | null, author: string): Signed | null {
  if (commit === null) return null;
  const { name, email, seconds } = commit.author;
  const by = { name, email: author === '' ? email : author };
  return { by, at: isoOf(Math.max(0, seconds) * 1000), ...UNPROVEN };
}

function committed(commit: CommitText | null): Signed | null {
  if (commit === null) return null;
  const { name, email, seconds } = commit.committer;
  return { by: { name, email }, at: isoOf(Math.max(0, seconds) * 1000), ...UNPROVEN };
}

const UNPROVEN = { key: null, identity: 'unverified', event: null } as const;

function eventBy(
  { file, proofs }: Known,
  is: (event: RequestEvent) => boolean,
  which: 'first' | 'last' = 'first',
): Signed | null {
  const event = which === 'first' ? file.events.find(is) : file.events.findLast(is);
  return event === undefined ? null : signedBy(proofs, event);
}

function votesOf(
  { file, proofs }: Known,
  ruled: Ruled | null | undefined,
  asked: Signed | null,
): ExportedVote[] {
  return file.state.reviews.map(({ id, at, actor, decision, comment, place }) => {
    const signed = signedBy(proofs, { id, at, actor });
    const counts = ruled?.counted.has(id) ?? false;
    const own = isOwn(signed, asked, ruled?.joining);
    return { ...signed, decision, comment, counts, isOwn: own, ...(place && { place }) };
  });
}

function reviewOf(
  { file, proofs }: Known,
  ruled: Ruled | null | undefined,
  asked: Signed | null,
): GlassReview | null {
  const id: EventId | null = ruled?.inspection ?? null;
  const event = file.events.find((event) => event.id === id);
  if (event?.type !== 'inspected') return null;
  const signed = signedBy(proofs, event);
  return { ...signed, comment: event.comment, isOwn: isOwn(signed, asked, ruled?.joining) };
}

/** One key is one person, whatever the names are; but for that of a server. */
const isOwn = ({ by, key, server }: Signed, asked: Signed | null, joining?: Ruled['joining']) =>
  asked !== null &&
  (samePerson(by.email, asked.by.email, joining) || (key !== null && key === asked.key && !server));
