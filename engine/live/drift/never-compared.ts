/** Objects of manifests that are not compared, and those whose absence says nothing. */
import type { DeclaredObject } from '../observer.ts';
import { isFields, valueAt } from '../read.ts';

const HOOKS = ['helm.sh/hook', 'argocd.argoproj.io/hook'] as const;

/** Why an object is not looked at; null: it is. */
export function whyNotAsked({ apiVersion, kind, value }: DeclaredObject): string | null {
  if (kind === 'Secret' && apiVersion === 'v1') return 'Secrets are never read.';
  const hook = HOOKS.find((key) => valueAt(value, 'metadata', 'annotations', key) !== undefined);
  return hook === undefined ? null : `It is a hook (${hook}), which runs and is not kept.`;
}

/** Why it may be absent although it was applied; null: it may not. */
export function whyAbsent({ kind, value }: DeclaredObject): string | null {
  if (kind !== 'Job' || !isFields(value) || valueAt(value, 'spec', 'ttlSecondsAfterFinished') === undefined)
    return null;
  return 'The cluster has none: a Job with ttlSecondsAfterFinished is removed when it has ended.';
}
