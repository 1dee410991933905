/** Step 1: resolve what was asked for, plan it, and render what it would deliver. Writes nothing. */
import {
  BacktrailError,
  type CheckCode,
  type Clock,
  type Coordinates,
  type FailureCode,
  type Finding,
  formatCoordinates,
  type HistoryReader,
  type ImageRegistries,
  isFailure,
  isObjectId,
  type LogCommit,
  type ObjectId,
  type Person,
  type Plan,
  type Programs,
  type RepositoryReader,
  type RollbackRequest,
  type Scope,
} from '../model/index.ts';
import type { Destination, GitRepository } from '../git/open.ts';
import { digestOfOutputs } from '../plan/digest.ts';
import { requireScopeExists } from '../layout/discover.ts';
import { fieldSelection, resolveFields } from '../layout/fields/field.ts';
import { enclosingString } from '../layout/fields/strings.ts';
import { readHistory } from '../history/history.ts';
import { type Layout, parseScope } from '../layout/layout.ts';
import { checkContent, checkObserved } from '../plan/checks/registry.ts';
import type { CheckInput, ObservedImage, Observations } from '../plan/check-input.ts';
import { createDocuments } from '../plan/documents/documents.ts';
import { imagesBroughtBack } from '../plan/documents/images.ts';
import { planRollback, selectionsFor } from '../plan/plan.ts';
import { planResume } from '../plan/resume.ts';
import type { HoldWish } from '../holds/place.ts';
import { withAdvice, wishOf } from './hold-wish.ts';
import { refOf, resolveRevision } from '../history/find-revision.ts';
import { parseRevision } from '../history/revision-name.ts';
import { toBindings } from '../layout/pattern.ts';
import { requireScope } from '../layout/scope.ts';
import { readContent, type ScopeQuery } from '../snapshot/scope-content.ts';
import type { Revision } from '../history/revision.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { isBlocked } from './blocked.ts';
import { type Delivery, NO_DELIVERY, renderDelivery } from '../render/planned/render.ts';

/** The scope of a rollback, as typed. */
export interface ScopeAsk {
  /** `[tenant/]environment[/service]`, or the names one by one. */
  readonly scope: string | Coordinates;
  /** Fields as typed; with any, the mode is `field`. */
  readonly fields?: readonly string[];
}

/** A rollback to plan, as typed. */
export interface Ask extends ScopeAsk {
  /** A revision as typed; `previous` where absent. */
  readonly to?: string;
  readonly allowRemoval?: boolean;
  /** Codes of checks that are overridden where they block. */
  readonly overrides?: readonly CheckCode[];
  /** Restore the files that hold the selected parts as whole paths. */
  readonly wholeFile?: boolean;
  /** Keep automation from moving what is restored; where absent, where it shows that it would. */
  readonly hold?: boolean;
  /** How long, as `7d`: implies `hold`. */
  readonly holdFor?: string;
  /** Lift holds of the scope, or of the fields, in place of a rollback. */
  readonly resume?: boolean;
}

/** What planning needs besides the repository. */
export interface PlanTools {
  readonly programs: Programs;
  readonly clock: Pick<Clock, 'now'>;
  /** Asked for the images that a plan brings back, where a person is to look at it. */
  readonly registries?: ImageRegistries;
}

/** A plan and the manifests that it would deliver: shown to people, and the input of the next step. */
export interface Planned {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  readonly delivery: Delivery;
  /** Where it would be published; absent if not requested. */
  readonly destination?: Destination;
  /** For display: details of the target and of the current revision, if they are revisions of the scope. */
  readonly revisions?: { readonly target?: RevisionDetails; readonly current?: RevisionDetails };
}

export interface RevisionDetails {
  /** ISO 8601 in UTC. */
  readonly time: string;
  readonly author: Person;
  readonly subject: string;
}

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

/** What a request is planned by. `hold`: `auto` only where it is asked for. */
export interface PlannedRequest
  extends Pick<RollbackRequest, 'scope' | 'target' | 'allowRemoval' | 'overrides' | 'resume'> {
  readonly hold?: HoldWish | undefined;
  readonly base?: ObjectId | null | undefined;
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

/** Commits that changed a path of the scope since the target, newest first. */
export async function commitsSince(
  { layout, history, base }: Snapshot,
  { scope, target }: { readonly scope: Scope; readonly target: ObjectId },
): Promise<readonly LogCommit[]> {
  if (base === target) return [];
  const paths = [...new Set(selectionsFor(layout, scope).map((selection) => selection.paths.prefix))];
  const outer = paths.filter((path) => !paths.some((other) => other !== path && isBelow(path, other)));
  const logs = await Promise.all(outer.map((path) => history.log({ tip: base, path, after: target })));
  return [...new Map(logs.flat().map((commit) => [commit.id, commit])).values()];
}

/** Of the plans that were looked at last: whoever asks for one of them need not read the history again. Commits never change. */
const lookedAt = new WeakMap<HistoryReader, Map<string, LookedAt>>();
const MAX_KNOWN = 10_000;

interface LookedAt {
  readonly migrations: readonly MigrationCommit[];
  /** Of the target, as a revision of the scope. */
  readonly version: number | null;
}

type MigrationCommit = Pick<LogCommit, 'id' | 'trailers'>;

interface Range {
  readonly scope: Scope;
  readonly target: ObjectId;
}

const rangeKey = ({ base, scope, target }: Range & { readonly base: ObjectId }) => {
  const { mode, tenant, environment, service, fields } = scope;
  return JSON.stringify([base, target, mode, tenant, environment, service, fields]);
};

function rememberLook(
  { history, base }: Snapshot,
  range: Range,
  { commits, version }: { readonly commits: readonly LogCommit[]; readonly version: number | null },
): void {
  const known = lookedAt.get(history) ?? new Map<string, LookedAt>();
  if (known.size >= MAX_KNOWN) known.clear();
  const migrations = commits
    .filter(({ trailers }) => trailers.some((line) => /^migration[ \t]*:/i.test(line)))
    .map(({ id, trailers }) => ({ id, trailers }));
  lookedAt.set(history, known.set(rangeKey({ base, ...range }), { migrations, version }));
}

const lookOf = ({ history, base }: Snapshot, range: Range) =>
  lookedAt.get(history)?.get(rangeKey({ base, ...range }));

/** With vN of the target, which people see. */
export async function withVersion(planned: Planned): Promise<Planned> {
  const { snapshot, plan } = planned;
  const { scope, target } = plan;
  const version = lookOf(snapshot, { scope, target: target.commit })?.version ?? (await versionOf(planned));
  return { ...planned, plan: { ...plan, target: { ...target, version } } };
}

async function versionOf({ snapshot, plan }: Planned): Promise<number | null> {
  const { revisions } = await historyOf(snapshot, plan.scope);
  return revisions.find(({ commit }) => commit.id === plan.target.commit)?.version ?? null;
}

async function migrationsSince(
  snapshot: Snapshot,
  { scope, target, base: asked = null }: PlannedRequest,
  asks: 'read' | 'since' | 'known',
): Promise<readonly MigrationCommit[]> {
  const known = lookOf(snapshot, { scope, target });
  if (known || asks === 'known') return known?.migrations ?? [];
  return commitsSince(snapshot, { scope, target: asks === 'since' && asked !== null ? asked : target });
}

const isBelow = (path: string, folder: string) => folder === '' || path.startsWith(`${folder}/`);

/** With the findings of what was observed. */
export function withObserved(
  planned: Planned,
  observed: Observations,
  overrides: readonly CheckCode[],
): Planned {
  const { checks } = planned.snapshot.layout.config;
  return { ...planned, plan: checkObserved(planned.plan, observed, { checks, overrides }) };
}

/** Asks by a dry run whether this identity may push. Where the remote cannot be asked, publishing says what is wrong. */
export async function withPushTest(git: GitRepository, planned: Planned, here: boolean): Promise<Planned> {
  const { checks } = planned.snapshot.layout.config;
  if (checks.severity.PUSH_DENIED === 'off' || planned.plan.files.length === 0) return planned;
  const refused = await git.tryPush(planned.plan.base).then(
    () => null,
    (error: unknown) => {
      if (isFailure(error)) return DENIALS.has(error.code) ? error : null;
      throw error;
    },
  );
  // A branch that takes no push is no matter of logins.
  const hint = refused?.details['protected'] === true ? { hint: refused.hint } : {};
  return withObserved(planned, { push: { here, denied: refused?.message ?? null, ...hint } }, []);
}

const DENIALS: ReadonlySet<FailureCode> = new Set(['REMOTE_DENIED', 'REMOTE_REJECTED']);

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

/** Asks for all of them side by side. */
async function observeImages(input: CheckInput, registries: ImageRegistries): Promise<ObservedImage[]> {
  const { severity } = input.snapshot.layout.config.checks;
  if (
    (['IMAGE_MISSING', 'IMAGE_MUTABLE', 'IMAGE_UNCHECKED'] as const).every((code) => severity[code] === 'off')
  )
    return [];
  const found = await imagesBroughtBack(input);
  if (found.length === 0) return [];
  const answers = await registries.ask(found.map(({ image }) => image));
  return found.map(({ image, path }) => ({
    image,
    path,
    isMutable: !image.includes('@'),
    answer: answers.get(image) ?? { state: 'unchecked' },
  }));
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

/** Adds findings about where it would be published. For confirmation only: execution checks again. */
export async function withPreview(git: GitRepository, planned: Planned): Promise<Planned> {
  const { plan, delivery } = planned;
  const paths = [...plan.files, ...delivery.outputs].map(({ path }) => path);
  const { branch, base } = plan;
  const findings = [...(await elsewhere(git, branch)), ...(await git.preview({ branch, base, paths }))];
  const destination = await git.destination(branch);
  return { ...planned, destination, plan: { ...plan, findings: [...plan.findings, ...findings] } };
}

export function withFindings(planned: Planned, findings: readonly Finding[]): Planned {
  return { ...planned, plan: { ...planned.plan, findings: [...planned.plan.findings, ...findings] } };
}

/** Adds the repository's notice, such as that the data is not up to date. */
export function withNotice(planned: Planned, notice: Finding | null): Planned {
  if (notice === null) return planned;
  return withFindings(planned, [notice]);
}

/** A user on another branch may expect that one to be rolled back. */
async function elsewhere(git: RepositoryReader, branch: string): Promise<Finding[]> {
  const head = await git.checkedOut();
  if (head === null || head === branch) return [];
  return [
    {
      code: 'BRANCH_DIFFERS',
      severity: 'info',
      message: `${head} is checked out here; this is about ${branch}, as \`branch\` of the configuration says.`,
    },
  ];
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

/** Resolves a scope. A service deleted from the tip is still known if history has it. */
export async function resolveScope(snapshot: Snapshot, { scope, fields = [] }: ScopeAsk): Promise<Scope> {
  const coordinates = coordinatesOf(snapshot.layout, scope);
  await requireExisting(snapshot, coordinates);
  if (fields.length === 0)
    return { mode: coordinates.service === undefined ? 'full' : 'service', ...coordinates };
  const view = await snapshot.view(snapshot.base);
  const resolved = await resolveFields({ view, layout: snapshot.layout, coordinates, fields });
  for (const field of resolved)
    await requireField(snapshot, { mode: 'field', ...coordinates, fields: [field] });
  return { mode: 'field', ...coordinates, fields: resolved };
}

/** Names given separately must be read back as the same names: they must not combine into another scope. */
function coordinatesOf(layout: Layout, scope: string | Coordinates): Coordinates {
  if (typeof scope === 'string') return parseScope(layout, scope);
  const { tenant, environment, service } = scope;
  const parsed = parseScope(layout, formatCoordinates(scope));
  if (parsed.tenant === tenant && parsed.environment === environment && parsed.service === service)
    return parsed;
  const form = layout.hasTenant
    ? 'tenant, environment and optionally service'
    : 'environment and optionally service';
  throw new BacktrailError('SCOPE_INVALID', `A scope of this layout has ${form}.`);
}

/** A field that never existed is a typing error, and must not pass because another selected field exists. @throws FIELD_UNKNOWN */
async function requireField(snapshot: Snapshot, scope: Scope): Promise<void> {
  const query = { snapshot, scope, selections: selectionsFor(snapshot.layout, scope) };
  if ((await readContent(query, snapshot.base)).parts.size > 0) return;
  if ((await readHistory(query)).length > 0) return;
  const [field = ''] = scope.fields ?? [];
  const inside = await enclosingString(await snapshot.view(snapshot.base), fieldSelection(field));
  const why = inside === null ? '' : `: ${inside.string} is a string`;
  throw new BacktrailError('FIELD_UNKNOWN', `The field ${field} never existed${why}.`, {
    hint: inside?.hint ?? `\`backtrail show ${formatCoordinates(scope)} HEAD\` shows the existing fields.`,
  });
}

const GONE: ReadonlySet<FailureCode> = new Set(['TENANT_UNKNOWN', 'ENVIRONMENT_UNKNOWN', 'SERVICE_UNKNOWN']);

async function requireExisting(snapshot: Snapshot, coordinates: Coordinates): Promise<void> {
  try {
    await requireScopeExists(await snapshot.view(snapshot.base), snapshot.layout, coordinates);
  } catch (unknown) {
    if (!isFailure(unknown) || !GONE.has(unknown.code)) throw unknown;
    // History also has names that the configuration ignores.
    if (snapshot.layout.isIgnored(toBindings(coordinates))) throw unknown;
    const scope: Scope = { mode: coordinates.service === undefined ? 'full' : 'service', ...coordinates };
    const { revisions } = await historyOf(snapshot, scope);
    if (revisions.length === 0) throw unknown;
  }
}

export async function historyOf(
  snapshot: Snapshot,
  scope: Scope,
): Promise<{ query: ScopeQuery; revisions: Revision[] }> {
  const query = { snapshot, scope, selections: selectionsFor(snapshot.layout, scope) };
  return { query, revisions: await readHistory(query) };
}

/** The current revision; the tip itself if the scope has none. */
export function currentOf(snapshot: Snapshot, [newest]: readonly Revision[]) {
  return newest ? refOf(newest) : { commit: snapshot.base, version: null };
}
