/**
 * A commit of a code host, which a signed event of the ledger names: by merge, rebase, squash or queue. What it changes is judged, not its message,
 * its people or its dates: those are the host's.
 */
import type { PathChange } from '../../model/index.ts';
import { changeDigest } from '../../record/change-digest.ts';
import { holdFileOf } from '../../rollback/stage.ts';
import { parseHold } from '../../holds/hold-file.ts';
import { type Claim, claimOf } from '../../requests/arrivals/claim.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { decode } from '../../yaml/core/text.ts';
import type { Audit } from '../audit.ts';
import { failureOf } from '../failures.ts';
import { allowedBy, until } from '../ledger/allowed.ts';
import type { ProvenRequest } from '../ledger/ledger.ts';
import type { Completed } from '../ledger/whole.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import type { CommitText } from '../line/commit-text.ts';
import { type Problem, problem } from '../problems.ts';
import { type Changes, changesBetween, malformedIn } from './changes.ts';
import { comparePaths } from './compare.ts';
import { outputsOf } from './delivery.ts';
import { askedOf } from '../../requests/many/member.ts';
import { placeBefore } from './place.ts';
import { type Recomputed, recompute, snapshotOn } from './recompute.ts';

/** `arrivals`: all that the ledger says that this commit brought. */
export async function judgeArrived(
  audit: Audit,
  commit: CommitText,
  arrivals: readonly Completed[],
): Promise<Problem[]> {
  const { place, problems: misplaced } = await placeBefore(audit, commit);
  const problems = [...misplaced];
  if (place === null) return problems;
  try {
    const snapshot = snapshotOn(audit.reader, { ...place, branch: audit.branch });
    const changes = await changesBetween(audit.reader, place.baseTree, commit.tree);
    problems.push(...malformedIn(changes));
    const meant: Pick<PathChange, 'path' | 'after'>[] = [];
    const brought = [];
    for (const arrival of arrivals) {
      const one = await bringing(audit, snapshot, { arrival, changes });
      problems.push(...one.problems);
      meant.push(...one.files);
      brought.push(one);
    }
    const digest = changeDigest(audit.reader.hasher, changes.changes);
    const isExact = brought.some(({ claim }) =>
      claim?.proposals.some((proposal) => proposal.changes.includes(digest)),
    );
    const withOutputs = arrivals.filter(
      ({ deliveryCommit }) => deliveryCommit === null || deliveryCommit === commit.id,
    );
    const outputs = withOutputs.map(({ scope }) => outputsOf(place.layout, scope));
    const isOutput = (path: string) => outputs.some((is) => is(path));
    problems.push(...comparePaths(changes.changes, meant, isOutput));
    const isUnproposed = !isExact && changes.changes.some(({ path }) => isOutput(path));
    if (isUnproposed)
      problems.push(
        problem(
          'RENDERER_MISSING',
          'Its manifests are not those that were proposed, and manifests that a host merged are not rendered again.',
        ),
      );
  } catch (error) {
    problems.push(failureOf(error));
  }
  return problems;
}

interface Bringing {
  readonly arrival: Completed;
  readonly changes: Changes;
}

interface Brought {
  readonly files: readonly Pick<PathChange, 'path' | 'after'>[];
  readonly claim: Claim | null;
  readonly problems: readonly Problem[];
}

async function bringing(audit: Audit, snapshot: Snapshot, { arrival, changes }: Bringing): Promise<Brought> {
  const { ledger } = audit;
  const known = await ledger.request(arrival.requestId);
  const missing = problem('LEDGER_MISSING', `The ledger has no request ${arrival.requestId}.`);
  if (known === null || known.problem !== null)
    return { files: [], claim: null, problems: [known?.problem ?? missing] };
  const { file: whole, proofs } = known;
  const problems: Problem[] = [];
  const done = whole.events.findIndex(({ type }) => type === 'completed');
  const proof = proofs.get(whole.events[done]?.id ?? '');
  if (ledger.context.allowedSigners === null)
    problems.push(
      problem(
        'KEYS_MISSING',
        'There is no list of trusted keys here, by which the event that names it could be judged.',
      ),
    );
  else if (proof?.verified !== true)
    problems.push(
      problem(
        'IDENTITY_UNVERIFIED',
        `No trusted key vouches for the event that says how ${arrival.requestId} came here.`,
      ),
    );
  const file = until(whole, Math.max(1, done));
  const request = askedOf(file.state);
  const plan = await recompute(snapshot, request);
  const { layout } = snapshot;
  const allowed = await allowedBy({ ledger, file, proofs, layout, owners: plan.owners });
  problems.push(...allowed.problems);
  if (plan.digest !== request.digest)
    problems.push(
      problem('DIGEST_DIFFERS', `The plan has the digest ${plan.digest}: approved was ${request.digest}.`),
    );
  const blocking = plan.findings.find(({ severity }) => severity === 'block');
  if (blocking !== undefined)
    problems.push(problem('PLAN_BLOCKED', `${blocking.message} (${blocking.code})`));
  const since =
    (await sinceOf(audit, plan, { changes, path: holdFileOf(plan, request, snapshot.hasher)?.path })) ??
    request.requestedAt;
  const hold = holdFileOf(plan, { ...request, requestedAt: since }, snapshot.hasher);
  return {
    files: [...plan.files, ...(hold ? [hold] : [])],
    claim: await claimOf(vouched(audit, known)),
    problems,
  };
}

type Proven = Extract<ProvenRequest, { readonly problem: null }>;

/** Without what was proposed by no trusted key: whoever writes to the ledger could propose the manifests that they merged. */
function vouched({ ledger }: Audit, { file, proofs }: Pick<Proven, 'file' | 'proofs'>): RequestFile {
  if (ledger.context.allowedSigners === null) return file;
  const events = file.events.filter(
    ({ id, type }) => type !== 'proposed' || proofs.get(id)?.verified === true,
  );
  return { ...file, events };
}

/** A host that merges dates its own commits: when a hold was placed is known from its file alone. */
async function sinceOf(
  { reader }: Audit,
  { holds }: Recomputed,
  { changes, path }: { readonly changes: Changes; readonly path: string | undefined },
): Promise<string | null> {
  if (!holds?.placed || path === undefined) return null;
  const entry = changes.changes.find((change) => change.path === path)?.after ?? null;
  const bytes = entry && (await reader.objects.blob(entry.id));
  const text = bytes && decode(bytes);
  const parsed = text === null ? null : parseHold(path, text);
  return parsed !== null && 'hold' in parsed ? parsed.hold.since : null;
}

/** The manifests that a host has rebased along with it. */
export async function judgeArrivedDelivery(
  audit: Audit,
  commit: CommitText,
  next: CommitText | null,
  { deliveryCommit, requestId, scope }: Completed,
): Promise<Problem[]> {
  if (deliveryCommit === null || deliveryCommit === commit.id) return [];
  if (next?.id !== deliveryCommit)
    return [
      problem(
        'DELIVERY_MISSING',
        `Its manifests, ${deliveryCommit.slice(0, 10)}, do not follow it on the branch.`,
      ),
    ];
  const { place } = await placeBefore(audit, commit);
  const { changes, malformed } = await changesBetween(audit.reader, commit.tree, next.tree);
  const isOutput = place === null ? () => false : outputsOf(place.layout, scope);
  const problems = malformedIn({ malformed }, 'The commit of its manifests');
  const unexpected = comparePaths(changes, [], isOutput).map(({ message }) =>
    problem('OUTPUT_UNEXPECTED', `In the commit of its manifests: ${message}`),
  );
  problems.push(...unexpected);
  const known = await audit.ledger.request(requestId);
  const claim = known === null || known.problem !== null ? null : await claimOf(vouched(audit, known));
  const digest = changeDigest(audit.reader.hasher, changes);
  const isExact = claim?.proposals.some(({ delivery }) => delivery === digest);
  if (isExact !== true)
    problems.push(problem('DELIVERY_DIFFERS', 'Its manifests are not those that were proposed.'));
  return problems;
}
