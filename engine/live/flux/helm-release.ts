import type { Judgement } from '../judgement/judgement.ts';
import { because } from '../judgement/message.ts';
import { listAt, textAt, valueAt } from '../read.ts';
import { isDeleted, isObserved, isSuspended, readCondition } from './condition.ts';
import type { KustomizationJudgement } from './kustomization.ts';

const FAILED = new Set([
  'InstallFailed',
  'UpgradeFailed',
  'TestFailed',
  'RollbackFailed',
  'UninstallFailed',
  'RetriesExhausted',
]);

/** What a HelmRelease says: it names a chart and no commit, so it is believed only once the Kustomization that writes it is at the revision. */
export function judgeHelmRelease(object: unknown, kustomization: KustomizationJudgement | null): Judgement {
  if (kustomization?.state === 'overtaken')
    return { state: 'overtaken', message: 'Its Kustomization is at a later revision.' };
  if (kustomization === null || !kustomization.isApplied)
    return {
      state: kustomization === null || kustomization.state === 'unconfirmed' ? 'unconfirmed' : 'pending',
      message: 'Its Kustomization is not known to be at the revision, so what it says may be of another one.',
    };
  if (isDeleted(object))
    return { state: 'unconfirmed', code: 'SUSPENDED', message: 'The HelmRelease is being deleted.' };
  if (isSuspended(object))
    return {
      state: isObserved(object) ? 'unconfirmed' : 'pending',
      code: 'SUSPENDED',
      message: 'The HelmRelease is suspended.',
    };
  if (!isObserved(object))
    return { state: 'progressing', message: 'Flux has yet to see how the HelmRelease was changed.' };
  return undone(object) ?? judgeReady(object);
}

/** `Remediated`: Helm rolled back or uninstalled what failed, so another release than ours runs, however well it is. */
function undone(object: unknown): Judgement | null {
  const { status, message } = readCondition(object, 'Remediated');
  if (status !== 'True') return null;
  return { state: 'degraded', code: 'REMEDIATED', message: `Helm undid the release${because(message)}.` };
}

function judgeReady(object: unknown): Judgement {
  const [ready, released, test, stalled] = ['Ready', 'Released', 'TestSuccess', 'Stalled'].map((type) =>
    readCondition(object, type),
  );
  const failure =
    released?.status === 'False'
      ? released
      : test?.status === 'False'
        ? test
        : stalled?.status === 'True'
          ? stalled
          : null;
  if (failure)
    return {
      state: 'degraded',
      code: 'OPERATION_FAILED',
      message: `The release failed (${failure.reason})${because(failure.message)}.`,
    };
  if (ready?.status === 'True') return releaseOf(object, ready.message);
  const { reason = '', message } = ready ?? {};
  const isFailed = ready?.status === 'False' && FAILED.has(reason);
  return {
    state: isFailed ? 'degraded' : 'progressing',
    ...(isFailed && { code: 'OPERATION_FAILED' }),
    message: `The release is not ready${reason === '' ? '' : ` (${reason})`}${because(message)}.`,
  };
}

/** Helm waits for what it installs to be healthy, where nobody told it not to. */
function releaseOf(object: unknown, message: string | undefined): Judgement {
  const action = listAt(object, 'status', 'history').length > 1 ? 'upgrade' : 'install';
  const version = textAt(object, 'status', 'history', 0, 'chartVersion');
  const chart = version === undefined ? '' : `, chart ${version}`;
  if (valueAt(object, 'spec', action, 'disableWait') === true)
    return {
      state: 'unconfirmed',
      code: 'HEALTH_UNKNOWN',
      message: `Released${chart}; with \`disableWait\` Helm does not see whether it is healthy.`,
    };
  return { state: 'live', message: `Released${chart}${because(message)}.` };
}
