/** One commit that says it is a rollback, held against what is made again from objects alone. */
import {
  type CheckCode,
  type HoldTerms,
  isCheckCode,
  type Person,
  type RollbackRequest,
} from '../../model/index.ts';
import { parseHold } from '../../holds/hold-file.ts';
import { rollbackMessage } from '../../record/message.ts';
import type { RollbackRecord } from '../../record/trailers.ts';
import { holdFileOf, messageStyle, recordOf, shortTarget } from '../../rollback/stage.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { decode } from '../../yaml/core/text.ts';
import { scopesOf } from './asked.ts';
import type { Audit } from '../audit.ts';
import { judgeAuthor } from './author.ts';
import { type Changes, changesBetween, malformedIn } from './changes.ts';
import { isComplete, readClaim } from './claim.ts';
import type { CommitText } from '../line/commit-text.ts';
import { rulesBefore } from '../line/line.ts';
import { comparePaths } from './compare.ts';
import { allowedBy } from '../ledger/allowed.ts';
import { failureOf } from '../failures.ts';
import { askedOf } from '../../requests/many/member.ts';
import { judgeTerms, type Ledgered, demandsRecord, ledgeredOf } from './ledgered.ts';
import { compareMessage, partsOf, sameWords } from './message.ts';
import { type Place, placeOf } from './place.ts';
import { type Problem, problem } from '../problems.ts';
import { type Recomputed, recompute, snapshotOn } from './recompute.ts';

/** A rollback that was made again. */
export interface Made {
  readonly place: Place;
  readonly snapshot: Snapshot;
  readonly request: RollbackRequest;
  readonly plan: Recomputed;
  /** As its trailers should have it. */
  readonly record: RollbackRecord;
}

export interface Judged {
  /** As its trailers have it. */
  readonly record: RollbackRecord;
  readonly problems: readonly Problem[];
  /** null: it could not be made again. */
  readonly made: Made | null;
  /** null: the ledger has no such request. */
  readonly ledgered: Ledgered | null;
}

export async function judgeRollback(audit: Audit, commit: CommitText): Promise<Judged> {
  const { record, problems: claimed } = readClaim(commit.trailers);
  const problems = [...claimed, ...repeated(audit, commit, record)];
  const { ledgered, problems: unrecorded } = await ledgeredOf(audit, record);
  problems.push(...unrecorded);
  const stopped = { record, problems, made: null, ledgered };
  if (ledgered !== null) problems.push(...judgeTerms(record, ledgered));
  if (!isComplete(record)) return stopped;
  const { place, problems: misplaced } = await placeOf(audit, commit, record);
  problems.push(...misplaced);
  if (place === null) return stopped;
  try {
    const changes = await changesBetween(audit.reader, place.baseTree, commit.tree);
    const held = await holdIn(audit, record, changes);
    const snapshot = snapshotOn(audit.reader, { ...place, branch: audit.branch });
    const asks =
      ledgered === null
        ? await asksOf(commit, record, { snapshot, held })
        : [{ request: askedOf(ledgered.file.state), isPartial: false }];
    const { ask, plan } = await remake(snapshot, asks, record.plan);
    const provided = await provide(audit, { commit, ask, plan, place, ledgered, record });
    problems.push(...provided.problems);
    const { request } = provided;
    // What cannot be made again is what the commit says.
    const meant = ask.isPartial ? { ...plan, digest: record.plan } : plan;
    const made: Made = {
      place,
      snapshot,
      request,
      plan,
      record: recordOf(request, { plan: meant, snapshot }),
    };
    problems.push(...judgeTree(changes, made, held));
    if (!ask.isPartial && plan.digest !== record.plan)
      problems.push(
        problem('DIGEST_DIFFERS', `The plan has the digest ${plan.digest}: the commit says ${record.plan}.`),
      );
    problems.push(...judgeMessage(audit, commit, made, ledgered), ...judgeAuthor(commit, made.request));
    return { record, problems, made, ledgered };
  } catch (error) {
    return { ...stopped, problems: [...problems, failureOf(error)] };
  }
}

interface Providing {
  readonly commit: CommitText;
  readonly ask: Ask;
  readonly plan: Recomputed;
  readonly place: Place;
  readonly ledgered: Ledgered | null;
  readonly record: RollbackRecord;
}

/** With what allowed it, by the ledger; by its trailers alone where no ledger was needed. */
async function provide(
  { ledger, line }: Audit,
  { commit, ask: { request }, plan, place, ledgered, record }: Providing,
): Promise<{ readonly request: RollbackRequest; readonly problems: readonly Problem[] }> {
  const { layout } = place;
  if (ledgered !== null) {
    const earlier = rulesBefore(line, commit.id);
    const { provenance, problems } = await allowedBy({
      ...ledgered,
      ledger,
      layout,
      owners: plan.owners,
      earlier,
    });
    return { request: { ...request, requestedAt: provenance.at, provenance }, problems };
  }
  const isSilent = record.ledger === undefined;
  const problems: Problem[] = [];
  if (isSilent && demandsRecord(layout, plan.owners))
    problems.push(
      problem(
        'LEDGER_MISSING',
        'The policy that was in force demands a record in the ledger, and it names none.',
      ),
    );
  else if (isSilent && (record.approvals.length > 0 || record.breakGlass !== undefined))
    problems.push(
      problem('LEDGER_MISSING', 'It says that it was allowed, and names no event of the ledger.'),
    );
  return { request, problems };
}

/** The same request may be executed once. */
export function repeated(
  audit: Audit,
  { id }: CommitText,
  { requestId }: Pick<RollbackRecord, 'requestId'>,
): Problem[] {
  const original = audit.line.oldest.get(requestId);
  if (original === undefined || original === id) return [];
  return [problem('REQUEST_REPEATED', `The commit ${original.slice(0, 10)} before it has the same request.`)];
}

/** The hold that a commit places, as far as its file can be read. */
interface Held {
  readonly terms: HoldTerms | null;
  readonly reason: string | null;
}

async function holdIn(audit: Audit, { holds = [] }: RollbackRecord, { changes }: Changes): Promise<Held> {
  const [path] = holds;
  if (path === undefined) return { terms: null, reason: null };
  const entry = changes.find((change) => change.path === path)?.after ?? null;
  const bytes = entry && (await audit.reader.objects.blob(entry.id));
  const text = bytes && decode(bytes);
  const parsed = text === null ? null : parseHold(path, text);
  if (parsed === null || !('hold' in parsed)) return { terms: { seconds: null }, reason: null };
  const { since, until, reason } = parsed.hold;
  const seconds = until === null ? null : Math.round((Date.parse(until) - Date.parse(since)) / 1000);
  return { terms: { seconds }, reason };
}

interface Ask {
  readonly request: RollbackRequest;
  readonly isPartial: boolean;
}

/** What the trailers may stand for, the likely one first. @throws SCOPE_INVALID, FIELD_OUT_OF_SCOPE */
async function asksOf(
  commit: CommitText,
  record: RollbackRecord,
  { snapshot, held }: { readonly snapshot: Snapshot; readonly held: Held },
): Promise<readonly Ask[]> {
  const views = [await snapshot.view(snapshot.base), await snapshot.view(record.target)];
  const scopes = await scopesOf(snapshot.layout, record, views);
  const { overrides = [], approvals, breakGlass = null, ledger = '' } = record;
  const at = timeOf(commit);
  const author: Person = { name: commit.author.name, email: record.author };
  const isProvided = record.ledger !== undefined || approvals.length > 0 || record.breakGlass !== undefined;
  return scopes.map(({ scope, isPartial }) => ({
    isPartial,
    request: {
      id: record.requestId,
      scope,
      target: record.target,
      base: record.base,
      digest: record.plan,
      reason: partsOf(commit.message).body,
      author,
      requestedAt: at,
      allowRemoval: overrides.includes('allow-removal'),
      overrides: overrides.filter((code): code is CheckCode => isCheckCode(code)),
      hold: held.terms,
      ...(isProvided && { provenance: { approvals, ledger, breakGlass, at } }),
    },
  }));
}

/** The last second that a record can have: what claims to be later is wrong, and no date. */
const LAST = Date.parse('9999-12-31T23:59:59Z') / 1000;

/** When its author's line says that it was made. */
export const timeOf = ({ author: { seconds } }: CommitText): string =>
  new Date(Math.min(Math.max(0, seconds), LAST) * 1000).toISOString();

/** The one that gives this digest; the first one where none does. */
async function remake(
  snapshot: Snapshot,
  asks: readonly Ask[],
  digest: string,
): Promise<{ readonly ask: Ask; readonly plan: Recomputed }> {
  const [first, ...others] = asks;
  if (first === undefined) throw new Error('Nothing is asked for.');
  const made = { ask: first, plan: await recompute(snapshot, first.request) };
  if (first.isPartial || made.plan.digest === digest) return made;
  for (const ask of others) {
    const plan = await recompute(snapshot, ask.request);
    if (plan.digest === digest) return { ask, plan };
  }
  return made;
}

function judgeTree(made: Changes, { plan, request, snapshot }: Made, held: Held): Problem[] {
  const problems = malformedIn(made);
  const blocking = plan.findings.find(({ severity }) => severity === 'block');
  if (blocking !== undefined)
    problems.push(problem('PLAN_BLOCKED', `${blocking.message} (${blocking.code})`));
  else if (plan.files.length === 0)
    problems.push(problem('NOTHING_RESTORED', 'The scope was at its target already.'));
  const isSaid = held.reason !== null && sameWords(held.reason, withoutControls(request.reason));
  const said = isSaid ? held.reason : request.reason;
  const hold = holdFileOf(plan, { ...request, reason: said }, snapshot.hasher);
  problems.push(...comparePaths(made.changes, [...plan.files, ...(hold ? [hold] : [])]));
  return problems;
}

/** A message shows controls where a hold leaves them out. */
const withoutControls = (text: string) => text.replace(/[\p{C}\ufffd]/gu, ' ');

function judgeMessage(
  { ledger }: Audit,
  commit: CommitText,
  { request, record, snapshot }: Made,
  ledgered: Ledgered | null,
): Problem[] {
  const { config } = snapshot.layout;
  const style = messageStyle({ snapshot }, [request.author, commit.committer]);
  const expected = rollbackMessage({
    record,
    subject: config.subject,
    shortTarget: shortTarget(request),
    style,
  });
  const { reason } = request;
  const knowsKeys = ledger.context.allowedSigners !== null;
  const isLoose = (key: string, value: string, meant: string) => {
    // What is left of a reason in the body has its words, and not its blanks.
    if (key === 'Justification') return ledgered === null && sameWords(value, reason);
    // Whoever executed it may have known fewer keys; who knows none here cannot tell.
    return key === 'Approval' && isSameVote(value, meant) && (!knowsKeys || value.endsWith(UNVERIFIED));
  };
  return compareMessage({ message: commit.message, expected, isLoose });
}

const UNVERIFIED = ' (identity unverified)';
const isSameVote = (one: string, other: string) =>
  one.replace(UNVERIFIED, '') === other.replace(UNVERIFIED, '');
