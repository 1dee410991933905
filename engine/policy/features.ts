/** Features: what the configuration lets people use at all. */
import type { EnvironmentName, Features, Policy, Scope } from '../model/index.ts';
import { SELECTIVE_MODES } from '../model/index.ts';
import { policyFor } from './policy.ts';

const ALL: Features = {
  rollback: true,
  basicRollback: true,
  selectiveRollback: SELECTIVE_MODES,
  rollbackApproval: true,
};

/** Those of an environment: its own, else those of the whole configuration, else all. */
export function featuresOf(policy: Policy, environment: EnvironmentName): Features {
  return { ...ALL, ...policy.features, ...policyFor(policy, environment)?.features };
}

/** Name, as the configuration writes it, of the feature that forbids a mode; null: it may be used. */
export function forbiddenBy(features: Features, mode: Scope['mode']): string | null {
  if (!features.rollback) return 'rollback';
  if (mode === 'full') return features.basicRollback ? null : 'basic_rollback';
  return features.selectiveRollback.includes(mode) ? null : 'selective_rollback';
}
