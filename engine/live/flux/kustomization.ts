import type { LiveTarget } from '../../model/index.ts';
import type { Judgement } from '../judgement/judgement.ts';
import { because } from '../judgement/message.ts';
import { short, type Standing, standingOf } from '../judgement/standing.ts';
import type { ObserverContext } from '../observer.ts';
import { listAt, textAt, valueAt } from '../read.ts';
import { commitOf } from './commit.ts';
import { type Condition, isDeleted, isObserved, isSuspended, readCondition } from './condition.ts';

export interface KustomizationJudgement extends Judgement {
  /** What it applied is ours, so that what it applied may be believed. */
  readonly isApplied: boolean;
}

/** What is wrong with the revision, or with what it brought. Others (a dependency, a source) may pass by themselves, until the deadline. */
const FAILED = new Set(['BuildFailed', 'HealthCheckFailed', 'ReconciliationFailed', 'PruneFailed']);

interface State {
  readonly object: unknown;
  readonly ready: Condition;
  /** With `wait` or health checks: applied and healthy; otherwise applied. */
  readonly applied: Standing;
  readonly attempted: Standing;
}

/**
 * What a Kustomization says. Without `wait` or `healthChecks` it is Ready as soon as it is applied, and knows nothing of health: that is
 * `unconfirmed` with HEALTH_UNKNOWN, which does not count where another observer of the same cluster says that it is live.
 */
export async function judgeKustomization(
  object: unknown,
  target: LiveTarget,
  context: ObserverContext,
): Promise<KustomizationJudgement> {
  const revisions = revisionsOf(object);
  const applied = await standingOf(revisions.applied, target, context);
  const attempted = await standingOf(revisions.attempted, target, context);
  const state = { object, ready: readCondition(object, 'Ready'), applied, attempted };
  const isApplied =
    applied.relation === 'contains' ||
    (attempted.relation === 'contains' && state.ready.reason === 'HealthCheckFailed');
  return { revision: applied.revision, isApplied, ...judgementOf(state) };
}

/** An OCI artifact names the commit that it was made of beside its digest, and for the applied one alone. */
function revisionsOf(object: unknown): {
  readonly applied: readonly string[];
  readonly attempted: readonly string[];
} {
  const [applied, origin, attempted] = [
    'lastAppliedRevision',
    'lastAppliedOriginRevision',
    'lastAttemptedRevision',
  ].map((key) => textAt(object, 'status', key));
  const named = origin ?? applied;
  const tried = attempted === applied ? named : attempted;
  return {
    applied: named === undefined ? [] : [commitOf(named)],
    attempted: tried === undefined ? [] : [commitOf(tried)],
  };
}

function judgementOf(state: State): Judgement {
  const { object, ready, applied, attempted } = state;
  if (isDeleted(object))
    return { state: 'unconfirmed', code: 'SUSPENDED', message: 'The Kustomization is being deleted.' };
  const later = [applied, attempted].find(({ isLater }) => isLater);
  if (later)
    return {
      state: 'overtaken',
      revision: later.revision,
      message: `A later revision (${short(later.revision)}) runs.`,
    };
  if (isSuspended(object)) return suspended(state);
  const isOurs = applied.relation === 'contains' || attempted.relation === 'contains';
  if (!isOurs) return notYet(state);
  if (!isObserved(object))
    return { state: 'progressing', message: 'Flux has yet to see how the Kustomization was changed.' };
  return ready.status === 'False'
    ? notReady(state)
    : ready.status === 'True'
      ? readyOf(state)
      : underWay(state);
}

/** What it says is of when it was suspended. */
function suspended({ applied }: State): Judgement {
  const isApplied = applied.relation === 'contains';
  return {
    state: isApplied || applied.relation === 'elsewhere' ? 'unconfirmed' : 'pending',
    code: 'SUSPENDED',
    message: `The Kustomization is suspended, and had applied ${short(applied.revision)}.`,
  };
}

function notReady({ ready, attempted, applied }: State): Judgement {
  // A newer revision that fails leaves what was applied as it is.
  const isOurs = attempted.relation === null || attempted.relation === 'contains';
  if (!isOurs)
    return {
      state: 'unconfirmed',
      code: 'HEALTH_UNKNOWN',
      message: `${short(applied.revision)} is applied, and ${short(attempted.revision)} is not (${ready.reason})${because(ready.message)}.`,
    };
  const isFailed = FAILED.has(ready.reason);
  return {
    state: isFailed ? 'degraded' : 'progressing',
    revision: attempted.revision ?? applied.revision,
    ...(isFailed && ready.reason !== 'HealthCheckFailed' && { code: 'OPERATION_FAILED' }),
    message: `It is not ready (${ready.reason})${because(ready.message)}.`,
  };
}

function readyOf(state: State): Judgement {
  const { object, applied } = state;
  if (applied.relation !== 'contains') return underWay(state);
  if (valueAt(object, 'spec', 'wait') === true || listAt(object, 'spec', 'healthChecks').length > 0)
    return { state: 'live', message: `Applied and ready at ${short(applied.revision)}.` };
  return {
    state: 'unconfirmed',
    code: 'HEALTH_UNKNOWN',
    message: `${short(applied.revision)} is applied; without \`wait\` or \`healthChecks\` Flux does not see whether it is healthy.`,
  };
}

const underWay = ({ ready, attempted, applied }: State): Judgement => ({
  state: 'progressing',
  message: `${short(attempted.revision ?? applied.revision)} is being applied${because(ready.message)}.`,
});

function notYet({ ready, applied, attempted }: State): Judgement {
  const known = applied.relation === null ? attempted : applied;
  const why = ready.status === 'False' ? ` (${ready.reason})${because(ready.message)}` : '';
  const at = short(known.revision);
  if (known.relation === 'before' || attempted.relation === 'before')
    return { state: 'pending', message: `It is at ${at}, which is before the revision${why}.` };
  if (known.relation === null) return { state: 'pending', message: `It has applied nothing yet${why}.` };
  return known.relation === 'elsewhere'
    ? {
        state: 'unconfirmed',
        code: 'REVISION_ELSEWHERE',
        message: `It is at ${at}, a commit of another line${why}.`,
      }
    : {
        state: 'unconfirmed',
        code: 'REVISION_UNKNOWN',
        message: `It is at ${at}, which this repository does not have${why}.`,
      };
}
