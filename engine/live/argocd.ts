/**
 * What Argo CD says of its Application. Nothing is believed while an operation is asked for or runs, and health not before Argo CD has looked
 * again after it. `live`: Synced and Healthy at a commit that contains ours, which either was applied or needed nothing to be applied.
 */
import type { LiveTarget, Observation } from '../model/index.ts';
import { type Application, readApplication } from './argocd/application.ts';
import { healthOf } from './argocd/health.ts';
import { notYet } from './argocd/not-yet.ts';
import { resourceText } from './argocd/conditions.ts';
import { type Judgement, observationOf } from './judgement/judgement.ts';
import { because } from './judgement/message.ts';
import { filledNames } from './judgement/names.ts';
import { short, type Standing, standingOf } from './judgement/standing.ts';
import type { Observer, ObserverContext, Seen } from './observer.ts';
import { textAt } from './read.ts';

export const argocd: Observer = {
  source: 'argocd',
  isFor: ({ argocd }) => argocd !== null,
  async queries(target) {
    const [name, namespace] = namesOf(target).names ?? [];
    if (name === undefined || namespace === undefined) return [];
    return [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', namespace, name }];
  },
  async judge(seen): Promise<readonly Observation[]> {
    const { target, context } = seen;
    const { names } = namesOf(target);
    const object = `Application ${names === null ? (target.rule.argocd?.application ?? '') : `${names[1]}/${names[0]}`}`;
    const subject = { source: 'argocd', target, object, now: context.now } as const;
    return [observationOf(subject, await judgementOf(seen))];
  },
};

const namesOf = (target: LiveTarget) =>
  filledNames([target.rule.argocd?.application ?? '', target.rule.argocd?.namespace ?? ''], target);

async function judgementOf({ target, answers, context }: Seen): Promise<Judgement> {
  const { names, problem } = namesOf(target);
  if (problem !== null) return { state: 'unconfirmed', code: 'NAME_INVALID', message: problem };
  const [answer] = answers;
  if (answer === undefined)
    return { state: 'unconfirmed', code: 'CLUSTER_NONSENSE', message: 'There is no answer.' };
  if (answer.problem !== null) return { state: 'unconfirmed', ...answer.problem };
  const [object] = answer.objects;
  if (object === undefined)
    return {
      state: 'unconfirmed',
      code: 'OBJECT_MISSING',
      message: `Argo CD has no Application ${names[0]} in ${names[1]}, which the template ${target.rule.argocd?.application} of \`live\` names.`,
    };
  return judgeApplication(
    readApplication(object, (address) => context.isOurs(address)),
    { target, context, address: textAt(object, 'spec', 'source', 'repoURL') },
  );
}

interface About {
  readonly target: LiveTarget;
  readonly context: ObserverContext;
  readonly address: string | undefined;
}

async function judgeApplication(application: Application, about: About): Promise<Judgement> {
  const { running, isDeleted, hasSource } = application;
  if (isDeleted)
    return { state: 'unconfirmed', code: 'SUSPENDED', message: 'The Application is being deleted.' };
  if (running)
    return {
      state: 'progressing',
      message: `An operation (${short(running.revision)}) has not ended${because(running.message)}.`,
    };
  if (!hasSource)
    return {
      state: 'unconfirmed',
      code: 'SOURCE_ELSEWHERE',
      message: 'None of the sources of the Application is this repository.',
    };
  const { target, context } = about;
  const applied = await standingOf(application.applied, target, context);
  const compared = await standingOf(application.compared, target, context);
  return (
    failed(application, applied) ??
    stale(application, applied) ??
    (contains(application, applied, compared)
      ? judgeApplied(application, applied, compared)
      : notYet(application, { applied, compared, address: about.address }))
  );
}

/** That of another revision says nothing of ours. */
function failed({ phase, operationMessage }: Application, applied: Standing): Judgement | null {
  if ((phase !== 'Failed' && phase !== 'Error') || applied.relation !== 'contains') return null;
  const { revision } = applied;
  if (applied.isLater)
    return {
      state: 'overtaken',
      revision,
      code: 'OPERATION_FAILED',
      message: `A later revision (${short(revision)}) was tried, and failed${because(operationMessage)}.`,
    };
  return {
    state: 'degraded',
    revision,
    code: 'OPERATION_FAILED',
    message: `The operation failed${because(operationMessage)}.`,
  };
}

function stale({ finishedAt, reconciledAt }: Application, { revision }: Standing): Judgement | null {
  if (finishedAt === null || (reconciledAt !== null && reconciledAt >= finishedAt)) return null;
  return {
    state: 'progressing',
    revision,
    message: 'The operation has ended, and Argo CD has not looked at the cluster since.',
  };
}

/** Where a commit changes nothing that is rendered, there is nothing to apply: it is compared, Synced, and never applied. */
const contains = ({ sync, phase }: Application, applied: Standing, compared: Standing) =>
  (applied.relation === 'contains' && phase === 'Succeeded') ||
  (compared.relation === 'contains' && sync === 'Synced');

function judgeApplied(application: Application, applied: Standing, compared: Standing): Judgement {
  const { sync } = application;
  const runs = applied.relation === 'contains' ? applied : compared;
  const later = [applied, ...(sync === 'Synced' ? [compared] : [])].find(({ isLater }) => isLater);
  if (later)
    return {
      state: 'overtaken',
      revision: later.revision,
      message: `A later revision (${short(later.revision)}) runs.`,
    };
  return (
    comparedOtherwise(application, runs, compared) ??
    (sync === 'Synced' ? healthOf(application, runs) : outOfSync(application, runs, compared))
  );
}

/** What was compared with another commit than one that contains ours says nothing of ours: from a cache, after its branch moved, or unknown to us. */
function comparedOtherwise(
  { errors }: Application,
  { revision }: Standing,
  compared: Standing,
): Judgement | null {
  if (compared.relation === null || compared.relation === 'contains') return null;
  const isBefore = compared.relation === 'before';
  return {
    state: isBefore ? 'progressing' : 'unconfirmed',
    revision,
    ...(!isBefore && { code: compared.relation === 'unknown' ? 'REVISION_UNKNOWN' : 'REVISION_ELSEWHERE' }),
    message: `${short(revision)} was applied, and Argo CD has compared the cluster with ${short(compared.revision)} since${because(errors[0])}.`,
  };
}

/**
 * The commit was applied, so it is not pending. Where the same commit was compared, something was changed, refused or left out: it may still
 * arrive, and where it does not, the deadline says so. Where another one was, what differs may be no more than what that one changes: nobody
 * knows whether ours is still there as it was applied, and a service is not sick because somebody has yet to sync another.
 */
function outOfSync(application: Application, { revision }: Standing, compared: Standing): Judgement {
  const { sync, resources, errors } = application;
  if (sync !== 'OutOfSync')
    return {
      state: 'unconfirmed',
      revision,
      code: 'OUT_OF_SYNC',
      message: `${short(revision)} was applied, and Argo CD cannot compare it${because(errors[0])}.`,
    };
  if (compared.relation === 'contains' && compared.revision !== revision)
    return {
      state: 'unconfirmed',
      revision,
      code: 'OUT_OF_SYNC',
      message: `${short(revision)} was applied, and the cluster differs from ${short(compared.revision)}, which was not yet.`,
    };
  const differs = resourceText(resources, (resource) => textAt(resource, 'status') === 'OutOfSync');
  return {
    state: 'progressing',
    revision,
    code: 'OUT_OF_SYNC',
    message: `${short(revision)} was applied, and the cluster differs from it${because(differs ?? errors[0])}.`,
  };
}
