/** A condition of Flux: `Ready`, True where nothing is said. */
export interface Ready {
  readonly status?: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

interface Condition extends Ready {
  readonly type: string;
}

/** `Unknown` comes with `Reconciling`: it is on its way. */
export function readyConditions(ready: Ready) {
  const isOnItsWay = ready.status === 'Unknown';
  const shown = isOnItsWay ? { ...ready, reason: 'Progressing' } : ready;
  return [
    condition({ type: 'Ready', ...shown }),
    ...(isOnItsWay ? [condition({ type: 'Reconciling', ...shown, status: 'True' })] : []),
  ];
}

export const condition = (given: Condition) => ({
  type: given.type,
  status: given.status ?? ('True' as const),
  reason: given.reason ?? 'Succeeded',
  message: given.message ?? '',
  observedGeneration: given.observedGeneration ?? 1,
  lastTransitionTime: '2026-01-05T10:00:20Z',
});
