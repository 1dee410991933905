/** Step 1: resolve what was asked for, plan it, and render what it would deliver. Writes nothing. */
import {
  BacktrailError,
  type CheckCode,
  type Finding,
  type HistoryReader,
  type ObjectId,
  type Plan,
  type Programs,
  type Scope,
  isFailure,
  isObjectId,
} from '../model/index.ts';
import { digestOfOutputs } from '../plan/digest.ts';
import { checkContent } from '../plan/checks/registry.ts';
import type { CheckInput } from '../plan/check-input.ts';
import { createDocuments } from '../plan/documents/documents.ts';
import { planRollback } from '../plan/plan.ts';
import { planResume } from '../plan/resume.ts';
import { wishOf, withAdvice } from './hold-wish.ts';
import { resolveRevision } from '../history/find-revision.ts';
import { parseRevision } from '../history/revision-name.ts';
import { requireScope } from '../layout/scope.ts';
import type { Revision } from '../history/revision.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { isBlocked } from './blocked.ts';
import { NO_DELIVERY, renderDelivery } from '../render/planned/render.ts';
import type { Ask, PlanTools, Planned, PlannedRequest, RevisionDetails } from './planning/planned.ts';
import { currentOf, historyOf, resolveScope } from './planning/asked-scope.ts';
import { migrationsSince, rememberLook } from './planning/since-target.ts';
import { observeImages, withObserved } from './planning/observed.ts';

export async function planAsked(snapshot: Snapshot, ask: Ask, tools: PlanTools): Promise<Planned> {
  const { programs, clock } = tools;
  // The parts still determine the revision: `v3` must not become another commit.
  const parts = await resolveScope(snapshot, ask);
  if (ask.resume) {
    const lifted = await withDelivery(snapshot, await planResume(snapshot, parts, snapshot.base), programs);
    return withChecks(lifted, tools, { overrides: ask.overrides ?? [] });
  }
  const { query, revisions } = await historyOf(snapshot, parts);
  const name = parseRevision(ask.to ?? 'previous', clock.now());
  const { target, findings } = await resolveRevision(query, revisions, name);
  const current = currentOf(snapshot, revisions);
  const allowRemoval = ask.allowRemoval ?? false;
  const scope: Scope = ask.wholeFile ? { ...parts, wholeFile: true } : parts;
  const planned = await withDelivery(
    snapshot,
    withAdvice(
      snapshot,
      await planRollback(snapshot, { scope, target, current, allowRemoval, findings, hold: wishOf(ask) }),
      { ask, author: revisions[0]?.commit.author },
    ),
    programs,
  );
  const since = revisions.filter(({ version }) => target.version === null || version > target.version);
  const commits = since.map(({ commit }) => commit);
  rememberLook(snapshot, { scope, target: target.commit }, { commits, version: target.version });
  const checked = await withChecks(planned, tools, {
    since: commits,
    former: revisions.flatMap(({ commit: { time }, rollbacks }) =>
      rollbacks.map(({ requestId, target }) => ({ requestId, target, time })),
    ),
    overrides: ask.overrides ?? [],
  });
  return { ...checked, revisions: detailsOf(revisions, target.commit) };
}

function detailsOf(revisions: readonly Revision[], target: ObjectId): NonNullable<Planned['revisions']> {
  const details = (revision: Revision | undefined): RevisionDetails | undefined => {
    if (revision === undefined) return undefined;
    const { time, author, subject } = revision.commit;
    return { time, author, subject };
  };
  const [from, to] = [details(revisions[0]), details(revisions.find(({ commit }) => commit.id === target))];
  return { ...(to && { target: to }), ...(from && { current: from }) };
}

/** For display of a request planned again: adds the current revision, and the details of both. */
export async function withRevisions(planned: Planned): Promise<Planned> {
  const { snapshot, plan } = planned;
  const { revisions } = await historyOf(snapshot, plan.scope);
  const current = currentOf(snapshot, revisions);
  return { ...planned, plan: { ...plan, current }, revisions: detailsOf(revisions, plan.target.commit) };
}

/**
 * A plan that was made to be executed, with what people are told of it besides: migrations from before it was asked for, its images, and both of its
 * revisions on the branch as it is at `tip`.
 */
export async function withDetails(
  planned: Planned,
  request: PlannedRequest,
  { tip, clock, registries }: Omit<PlanTools, 'programs'> & { readonly tip: Snapshot },
): Promise<Planned> {
  const { plan, delivery } = planned;
  const { overrides = [] } = request;
  const since = await migrationsSince(tip, request, 'read');
  const findings = plan.findings.filter(({ code }) => code !== 'MIGRATION_CROSSED');
  const input = {
    snapshot: tip,
    plan: { ...plan, base: tip.base, findings },
    outputs: delivery.outputs,
    documents: createDocuments(tip),
    now: clock.now(),
    since,
  };
  const noted = {
    ...planned,
    snapshot: tip,
    plan: await checkContent(input, overrides, ['MIGRATION_CROSSED']),
  };
  if (!registries || plan.resumes) return withRevisions(noted);
  return withRevisions(withObserved(noted, { images: await observeImages(input, registries) }, overrides));
}

/**
 * The same for a confirmed request: nothing is resolved again, and the contents of the request are not trusted. `asks`: where migrations
 * that commits name are looked for. `read`: since the target; `since`: since the base of the request, where those before it were seen;
 * `known`: only those of a plan before.
 */
export async function planRequested(
  snapshot: Snapshot,
  request: PlannedRequest,
  tools: PlanTools,
  { asks = 'known' }: { readonly asks?: 'read' | 'since' | 'known' } = {},
): Promise<Planned> {
  const planned = await withDelivery(snapshot, await planWithoutDelivery(snapshot, request), tools.programs);
  const { overrides = [] } = request;
  const since = await migrationsSince(snapshot, request, asks);
  return withChecks(planned, tools, { overrides, since });
}

/** The checks look at every plan, also at one that is blocked: all that is wrong with it is said at once. */
async function withChecks(
  planned: Planned,
  { clock, registries }: PlanTools,
  {
    overrides,
    ...known
  }: Pick<CheckInput, 'since' | 'former'> & { readonly overrides: readonly CheckCode[] },
): Promise<Planned> {
  const { snapshot, plan, delivery } = planned;
  const documents = createDocuments(snapshot);
  const input = { snapshot, plan, outputs: delivery.outputs, documents, now: clock.now(), ...known };
  const checked = { ...planned, plan: await checkContent(input, overrides) };
  if (!registries || plan.resumes) return checked;
  return withObserved(checked, { images: await observeImages(input, registries) }, overrides);
}

/** The same before any renderer runs. */
export async function planWithoutDelivery(
  snapshot: Snapshot,
  { scope, target, allowRemoval, hold = null, resume }: PlannedRequest,
): Promise<Plan> {
  requireScope(snapshot.layout, scope);
  await requireOnLine(snapshot, target, 'target');
  if (resume) return planResume(snapshot, scope, target);
  const ref = { commit: target, version: null };
  const current = { commit: snapshot.base, version: null };
  return planRollback(snapshot, { scope, target: ref, current, allowRemoval, findings: [], hold });
}

/**
 * A commit of another branch only was never deployed, and was never accepted on this branch.
 * @throws REVISION_NOT_ON_BRANCH, or SHALLOW_TARGET in a shallow clone that does not reach it
 */
export async function requireOnLine(
  { history, base, branch }: Snapshot,
  commit: ObjectId,
  role: 'target' | 'base',
): Promise<void> {
  if (await isOnLine(history, base, commit)) return;
  if (history.shallow)
    throw new BacktrailError(
      'SHALLOW_TARGET',
      `This shallow clone does not show whether the ${role} ${commit} is on the first-parent line of ${branch}.`,
    );
  throw new BacktrailError(
    'REVISION_NOT_ON_BRANCH',
    `The ${role} ${commit} is not on the first-parent line of ${branch}.`,
    { details: { commit } },
  );
}

/** False for a missing object, and for one that is not a commit. */
async function isOnLine(history: HistoryReader, tip: ObjectId, commit: ObjectId): Promise<boolean> {
  if (!isObjectId(commit) || (await history.findCommit(commit).catch(() => null)) !== commit) return false;
  return history.isOnLine(tip, commit);
}

async function withDelivery(snapshot: Snapshot, plan: Plan, programs: Programs): Promise<Planned> {
  // A blocked plan has no result to render.
  if (isBlocked(plan)) return { snapshot, plan, delivery: NO_DELIVERY };
  try {
    const delivery = await renderDelivery(snapshot, plan, programs);
    return { snapshot, plan: { ...plan, findings: [...plan.findings, ...delivery.findings] }, delivery };
  } catch (error) {
    if (!isFailure(error) || !/^(?:RENDER_FAILED|OUTPUT_UNSAFE)$/.test(error.code)) throw error;
    const { code, message, hint } = error;
    const finding: Finding = { code, severity: 'block', message, hint };
    return { snapshot, plan: { ...plan, findings: [...plan.findings, finding] }, delivery: NO_DELIVERY };
  }
}

/** The digest of the manifests that approvals are bound to; null if nothing is delivered. */
export function renderedDigest({ snapshot, delivery }: Planned): string | null {
  return digestOfOutputs(snapshot.hasher, delivery.outputs);
}
