import type { ClusterObject } from '../../model/index.ts';
import { differences } from '../declared/compare.ts';
import { parsePath, type Step } from './path.ts';

export interface Difference {
  readonly steps: readonly Step[];
  readonly desired: unknown;
  /** Absent where the cluster has none. */
  readonly live?: unknown;
}

/** Declared fields that a cluster does not have, or has otherwise. */
export const differencesOf = (declared: ClusterObject, live: ClusterObject): readonly Difference[] =>
  differences(declared, live).map(({ path, ...values }) => ({ steps: parsePath(path, declared), ...values }));
