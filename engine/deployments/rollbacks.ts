/** A completed rollback records its own deployment, and marks the one that it replaced; one commit for all rollbacks of a push. */
import {
  type Deployment,
  type DeploymentEvent,
  deploymentOf,
  type DeploymentStatus,
  type Finding,
  isFailure,
  makeDeploymentId,
  type Person,
  quotePath,
  type RequestId,
  type RollbackResult,
  type Scope,
} from '../model/index.ts';
import { liveRulesFor } from '../layout/configuration/live.ts';
import { parseScope } from '../layout/layout.ts';
import { mayFollow } from '../record/deployment-transitions.ts';
import { historyOf } from '../rollback/planning/asked-scope.ts';
import {
  NOT_RECORDED,
  type RecordedRollbacks,
  type RideAlong,
  type RollbackRecorder,
} from '../rollback/records.ts';
import type { RequestContext } from '../requests/context.ts';
import type { SecretScans } from '../snapshot/secrets/raw-secrets.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { type AppendContext, appendDeployments, prepareDeployments } from './append.ts';
import { deployedContent, type DeployedContent } from './content.ts';
import { judgeDeployments } from './counted.ts';
import {
  coordinatesOf,
  type DeploymentCache,
  type DeploymentStore,
  type KnownDeployment,
  textOf,
} from './store.ts';

interface RecorderInput {
  readonly context: RequestContext;
  readonly cache: DeploymentCache;
  readonly scans: SecretScans;
}

export function createRecorder(input: RecorderInput): RollbackRecorder {
  return {
    prepare: async (results) =>
      prepare(input, results).catch((error: unknown) => {
        if (!isFailure(error)) throw error;
        return NOT_RECORDED;
      }),
  };
}

async function prepare(
  { context, cache, scans }: RecorderInput,
  results: readonly RollbackResult[],
): Promise<RecordedRollbacks> {
  const { git, config } = context;
  if (config !== null) return NOT_RECORDED;
  const snapshot = await context.observe();
  const { deployments, commit } = snapshot.layout.config;
  const { ref, record } = deployments;
  if (record === 'never') return NOT_RECORDED;
  if (record === 'auto' && (await git.ledger.peek(ref)) === null) return NOT_RECORDED;
  const place: AppendContext = { context, cache, ref, signoff: commit.signoff };
  const actor = (await git.identity()) ?? context.committer;
  const findings = new Map<RequestId, readonly Finding[]>();
  const made = await Promise.all(
    results.map((result) => contentOf({ snapshot, scans, findings, isFew: results.length <= FEW }, result)),
  );
  const decide = (
    store: DeploymentStore,
    stamped: (actor: Person) => Pick<DeploymentEvent, 'id' | 'at' | 'actor'>,
  ) =>
    eventsOf(
      { context, snapshot, store, stamp: () => stamped(actor) },
      made.filter((each) => each !== null),
    );
  let isOpen = true;
  let ride: RideAlong | null = null;
  try {
    const prepared = await prepareDeployments(place, decide);
    isOpen = prepared !== null;
    ride = prepared && {
      move: prepared.move,
      yields: true,
      end: async (outcome) => {
        await git.ledger.finish(prepared, outcome);
        isOpen = outcome !== 'moved';
      },
    };
  } catch (error) {
    // Tried once more when the branch has moved.
    if (!isFailure(error)) throw error;
  }
  return {
    ride,
    finish: async () => {
      if (!isOpen) return;
      await appendDeployments(place, decide).catch((error: unknown) => {
        if (!isFailure(error)) throw error;
        for (const { requestId } of results)
          findings.set(requestId, [...(findings.get(requestId) ?? []), notWritten(error.message)]);
      });
    },
    findingsOf: (id) => findings.get(id) ?? [],
  };
}

/** So many rollbacks at once are counted as vN: each takes a look at the history of its scope. */
const FEW = 20;

interface Made {
  readonly result: RollbackResult;
  readonly scope: Scope;
  readonly commit: string;
  readonly content: DeployedContent;
  readonly version: number | null;
  readonly targetVersion: number | null;
}

/** What it deploys; null where there is nothing to record. */
async function contentOf(
  {
    snapshot,
    scans,
    findings,
    isFew,
  }: { snapshot: Snapshot; scans: SecretScans; findings: Map<RequestId, readonly Finding[]>; isFew: boolean },
  result: RollbackResult,
): Promise<Made | null> {
  const { commit, requestId } = result;
  if (result.status !== 'completed' || commit === null) return null;
  try {
    const names = parseScope(snapshot.layout, result.scope);
    const scope: Scope = { mode: names.service === undefined ? 'full' : 'service', ...coordinatesOf(names) };
    const content = await deployedContent(snapshot, scope, commit, scans);
    if (content.secret !== null) findings.set(requestId, [leftOut(content.secret)]);
    const { revisions } = isFew ? await historyOf(snapshot, scope) : { revisions: null };
    const versionOf = (id: string) =>
      revisions?.find((revision) => revision.commit.id === id)?.version ?? null;
    // It is not on the branch that was looked at, where it is about to be published.
    const version = revisions === null ? null : (versionOf(commit) ?? revisions.length + 1);
    return { result, scope, commit, content, version, targetVersion: versionOf(result.target) };
  } catch (error) {
    if (!isFailure(error)) throw error;
    findings.set(requestId, [notWritten(error.message)]);
    return null;
  }
}

interface Deciding {
  readonly context: RequestContext;
  readonly snapshot: Snapshot;
  readonly store: DeploymentStore;
  readonly stamp: () => Pick<DeploymentEvent, 'id' | 'at' | 'actor'>;
}

async function eventsOf(deciding: Deciding, made: readonly Made[]): Promise<readonly DeploymentEvent[]> {
  const { context, snapshot, store } = deciding;
  const rules = { policy: snapshot.layout.config.policy, knowsKeys: context.allowedSigners !== null };
  const judge = async (ids: readonly string[]) =>
    judgeDeployments({ context, rules, store }, await store.read(ids));
  const events: DeploymentEvent[] = [];
  // One commit has one time.
  const { at, actor } = deciding.stamp();
  const stamped = () => ({ ...deciding.stamp(), at, actor, ...NOTHING_SAID });
  for (const { result, scope, commit, content, version, targetVersion } of made) {
    const { requestId: request, target } = result;
    const own = deploymentOf(request);
    const [there] = await judge([own]);
    const isOwn = there?.state.rollback?.request === request && there.state.commit === commit;
    if (isOwn) continue;
    // Whoever may push can take its id first.
    const id = there === undefined ? own : makeDeploymentId(context.clock.now(), context.random(10));
    const others = store.known(
      (known) => sameNames(known, scope) && known.id !== id && known.commit !== commit,
      textOf(scope),
    );
    const standing = others.filter(({ status }) => STANDING.has(status));
    const waiting = others.filter(({ status }) => status === 'pending');
    const by = content.secret === null ? id : null;
    if (by !== null)
      events.push({
        ...stamped(),
        deployment: id,
        // Who observes the cluster says whether it came to be.
        status: liveRulesFor(snapshot.layout.config.live, scope).length > 0 ? 'pending' : 'deployed',
        by: null,
        opening: {
          ...coordinatesOf(scope),
          commit,
          version,
          images: content.images,
          charts: content.charts,
          source: 'backtrail',
          rollback: { request, commit: target, version: targetVersion },
        },
      });
    const candidates = await judge(idsOf(standing));
    const replaced = candidates.find(({ counted }) => counted !== null) ?? candidates[0];
    if (replaced !== undefined && mayFollow(replaced.state.status, 'rolled_back'))
      events.push(ended(stamped(), replaced.state, 'rolled_back', by));
    for (const { state } of await judge(idsOf(waiting)))
      events.push(ended(stamped(), state, 'superseded', by));
  }
  return events;
}

/** What ran: where the newest of them is over already, it was marked before. */
const STANDING: ReadonlySet<DeploymentStatus> = new Set([
  'deployed',
  'failed',
  'rolled_back',
  'decommissioned',
]);

const NOTHING_SAID = { note: null, migration: null, images: [] } as const;

/** Newest first; others are long over. */
const MOST = 50;
const idsOf = (known: readonly KnownDeployment[]) => known.slice(0, MOST).map(({ id }) => id);

function ended(
  stamped: Omit<DeploymentEvent, 'deployment' | 'status' | 'opening' | 'by'>,
  { id }: Deployment,
  status: 'rolled_back' | 'superseded',
  by: string | null,
): DeploymentEvent {
  return { ...stamped, deployment: id, status, by, opening: null };
}

const sameNames = (one: Pick<Scope, 'tenant' | 'environment' | 'service'>, other: typeof one) =>
  one.tenant === other.tenant && one.environment === other.environment && one.service === other.service;

const leftOut = ({ path, what }: { path: string; what: string }): Finding => ({
  code: 'RECORD_LEFT_OUT',
  severity: 'warn',
  message: `The rollback is not recorded as a deployment: ${quotePath(path)} holds a raw secret (${what}).`,
  hint: 'Replace the secret by a reference and rotate it: it is in the history of the branch.',
  path,
});

const notWritten = (why: string): Finding => ({
  code: 'RECORD_LEFT_OUT',
  severity: 'warn',
  message: `The rollback is not recorded as a deployment: ${why}`,
  hint: 'The rollback itself is published: `backtrail deployment record SCOPE --status deployed` records it.',
});
