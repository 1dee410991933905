import { isFields } from '../read.ts';

/** Fields whose zero value means something else than their absence, so that the API server keeps it. */
const KEPT = new Set(
  (
    'emptyDir automountServiceAccountToken allowPrivilegeEscalation runAsUser runAsGroup fsGroup storageClassName ' +
    'ttlSecondsAfterFinished minAvailable maxUnavailable maxSurge replicas suspend'
  ).split(' '),
);

/**
 * Whether a declared value may be absent in what the API server answers: it leaves zero values out (`omitempty`), such as `hostNetwork:
 * false`, `labels: {}` and `value: ""`.
 */
export function mayBeAbsent(value: unknown, key: string): boolean {
  if (value === null || value === undefined) return true;
  if (KEPT.has(key)) return false;
  if (Array.isArray(value)) return value.length === 0;
  if (isFields(value)) return Object.entries(value).every(([inner, field]) => mayBeAbsent(field, inner));
  return value === false || value === 0 || value === '';
}
