/** One commit that says that it lifts holds, held against what is made again. */
import {
  BacktrailError,
  type Coordinates,
  type HeldField,
  type Hold,
  isFailure,
  type RollbackRequest,
  type Scope,
  type TreeView,
} from '../../model/index.ts';
import { isHoldPath, parseHold } from '../../holds/hold-file.ts';
import { resumeMessage } from '../../record/message.ts';
import { readResume } from '../../record/read.ts';
import { parseTrailerLines, type ResumeRecord } from '../../record/trailers.ts';
import { messageStyle, recordOf, resumeOf, shortTarget } from '../../rollback/stage.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { treeView } from '../../snapshot/view.ts';
import { decode } from '../../yaml/core/text.ts';
import type { Audit } from '../audit.ts';
import { failureOf } from '../failures.ts';
import { allowedBy } from '../ledger/allowed.ts';
import type { CommitText } from '../line/commit-text.ts';
import { type Problem, problem } from '../problems.ts';
import { judgeAuthor } from './author.ts';
import { changesBetween, malformedIn } from './changes.ts';
import { codeOf } from './claim.ts';
import { comparePaths } from './compare.ts';
import { askedOf } from '../../requests/many/member.ts';
import { demandsRecord, type Ledgered, ledgeredOf } from './ledgered.ts';
import { compareMessage, partsOf, sameWords } from './message.ts';
import { placeBefore } from './place.ts';
import { type Recomputed, recompute, snapshotOn } from './recompute.ts';
import { type Made, repeated, timeOf } from './rollback.ts';

export interface JudgedResume {
  readonly requestId: string;
  readonly scope: Scope | null;
  readonly problems: readonly Problem[];
  readonly made: Made | null;
  readonly ledgered: Ledgered | null;
}

export async function judgeResume(audit: Audit, commit: CommitText): Promise<JudgedResume> {
  const claim = readResume(commit.trailers);
  const nothing = { requestId: '', scope: null, made: null, ledgered: null };
  if (claim === null) {
    const isNamed = parseTrailerLines(commit.trailers).has('resume-request-id');
    const wrong = isNamed
      ? problem('TRAILER_REPEATED', 'It names several requests, and so none.')
      : problem('TRAILER_MISSING', 'The trailer Resume-Request-ID is missing.');
    return { ...nothing, problems: [wrong] };
  }
  const { record } = claim;
  const { ledgered, problems: unrecorded } = await ledgeredOf(audit, record);
  const problems = [
    ...claim.problems.map((sentence) => problem(codeOf(sentence), sentence)),
    ...repeated(audit, commit, record),
    ...unrecorded,
  ];
  const known = { ...nothing, requestId: record.requestId, problems, ledgered };
  const { parents } = commit;
  if (parents.length > 1)
    problems.push(problem('PARENTS', `It has ${parents.length} parents: Backtrail writes no merges.`));
  const { place, problems: misplaced } = await placeBefore(audit, commit);
  problems.push(...misplaced);
  if (place === null) return known;
  const { layout } = place;
  try {
    const snapshot = snapshotOn(audit.reader, { ...place, branch: audit.branch });
    const asks =
      ledgered === null
        ? await asksOf(audit, commit, { record, snapshot })
        : [{ request: askedOf(ledgered.file.state), isPartial: false }];
    const remade = await remake(snapshot, asks, record.plan);
    const { isPartial } = remade;
    const plan = isPartial ? { ...remade.plan, digest: record.plan } : remade.plan;
    let { request } = remade;
    if (ledgered !== null) {
      const { ledger } = audit;
      const allowed = await allowedBy({ ...ledgered, ledger, layout, owners: plan.owners });
      problems.push(...allowed.problems);
      request = { ...request, requestedAt: allowed.provenance.at, provenance: allowed.provenance };
    } else if (record.ledger === undefined && demandsRecord(layout, plan.owners))
      problems.push(
        problem(
          'LEDGER_MISSING',
          'The policy that was in force demands a record in the ledger, and it names none.',
        ),
      );
    const { changes, malformed } = await changesBetween(audit.reader, place.baseTree, commit.tree);
    problems.push(...malformedIn({ malformed }), ...comparePaths(changes, plan.files));
    if (plan.digest !== record.plan)
      problems.push(
        problem('DIGEST_DIFFERS', `The plan has the digest ${plan.digest}: the commit says ${record.plan}.`),
      );
    const rollback = recordOf(request, { plan, snapshot });
    const made: Made = { place, snapshot, request, plan, record: rollback };
    const resumed = resumeOf(request, { plan }, rollback);
    if (resumed !== null) problems.push(...judgeMessage(commit, { ...made, resumed, ledgered }));
    problems.push(...judgeAuthor(commit, request));
    return { ...known, scope: request.scope, made };
  } catch (error) {
    problems.push(failureOf(error));
    return known;
  }
}

interface Ask {
  readonly request: RollbackRequest;
  /** Which fields were asked for is not recorded: the digest cannot be made again. */
  readonly isPartial: boolean;
}

/** What the record may stand for: it does not say which part of the environment it resumes, but which holds, and the digest tells. */
async function asksOf(
  { reader }: Audit,
  commit: CommitText,
  { record, snapshot }: { readonly record: ResumeRecord; readonly snapshot: Snapshot },
): Promise<readonly Ask[]> {
  const { requestId: id, plan: digest, approvals, ledger } = record;
  const at = timeOf(commit);
  const request = (scope: Scope): RollbackRequest => ({
    id,
    scope,
    target: snapshot.base,
    base: snapshot.base,
    digest,
    reason: partsOf(commit.message).body,
    author: { name: commit.author.name, email: record.author },
    requestedAt: at,
    allowRemoval: false,
    resume: true,
    ...(ledger !== undefined && { provenance: { approvals, ledger, breakGlass: null, at } }),
  });
  const then = await snapshot.view(snapshot.base);
  const now = treeView(reader.objects, commit.tree);
  const wide = new Map<string, Scope>();
  const lifted = new Map<string, string[]>();
  for (const path of record.holds.filter(isHoldPath)) {
    const hold = await holdIn(then, path);
    if (hold === null) continue;
    const { tenant, environment, service } = hold;
    const home = { ...(tenant !== undefined && { tenant }), environment };
    const own = { ...home, ...(service !== undefined && { service }) };
    wide.set(JSON.stringify(home), { mode: 'full', ...home });
    if (service !== undefined) wide.set(JSON.stringify(own), { mode: 'service', ...home, service });
    const left = new Set((await holdIn(now, path))?.fields.map(nameOf));
    const fields = hold.fields.map(nameOf).filter((name) => !left.has(name));
    // The subject says whether a service was named.
    const key = JSON.stringify(commit.subject.includes(' service/') ? own : home);
    lifted.set(key, [...(lifted.get(key) ?? []), ...fields]);
  }
  const narrow = [...lifted].map(([key, fields]): Scope => {
    const of: Coordinates = JSON.parse(key);
    return { mode: 'field', ...of, fields: [...new Set(fields)].toSorted() };
  });
  return [
    ...[...wide.values()].map((scope) => ({ request: request(scope), isPartial: false })),
    ...narrow.map((scope) => ({ request: request(scope), isPartial: true })),
  ];
}

const nameOf = ({ path, selector }: Pick<HeldField, 'path' | 'selector'>) => `${path}#${selector}`;

async function holdIn(view: Pick<TreeView, 'read'>, path: string): Promise<Hold | null> {
  const bytes = await view.read(path);
  const text = bytes && decode(bytes);
  const parsed = text === null ? null : parseHold(path, text);
  return parsed !== null && 'hold' in parsed ? parsed.hold : null;
}

/** The one that gives this digest; else the fields that were lifted. */
async function remake(
  snapshot: Snapshot,
  asks: readonly Ask[],
  digest: string,
): Promise<Ask & { readonly plan: Recomputed }> {
  const made: (Ask & { readonly plan: Recomputed })[] = [];
  let failure: unknown = null;
  for (const ask of asks)
    try {
      const plan = await recompute(snapshot, ask.request);
      if (plan.digest === digest) return { ...ask, plan, isPartial: false };
      made.push({ ...ask, plan });
    } catch (error) {
      if (!isFailure(error)) throw error;
      failure ??= error;
    }
  const found = made.find(({ isPartial }) => isPartial) ?? made[0];
  if (found !== undefined) return found;
  throw failure ?? new BacktrailError('HOLD_UNKNOWN', 'The holds that it names were not there.');
}

function judgeMessage(
  commit: CommitText,
  {
    request,
    snapshot,
    record: rollback,
    resumed: record,
    ledgered,
  }: Made & { readonly resumed: ResumeRecord; readonly ledgered: Ledgered | null },
): Problem[] {
  const style = messageStyle({ snapshot }, [request.author, commit.committer]);
  const expected = resumeMessage({ record, rollback, shortTarget: shortTarget(request), style });
  const isLoose = (key: string, value: string) =>
    key === 'Justification' && ledgered === null && sameWords(value, request.reason);
  return compareMessage({ message: commit.message, expected, isLoose });
}
