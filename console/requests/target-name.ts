import type { RequestView } from '../contract.ts';
import { revisionName } from '../plan/revision-name.ts';

/** Where it goes back to. Fields count versions of their own, which are not those of the history: they are at a commit. */
export const targetName = ({
  scope,
  target,
  targetVersion,
}: Pick<RequestView, 'scope' | 'target' | 'targetVersion'>): string =>
  revisionName({ target, targetVersion: scope.mode === 'field' ? null : targetVersion });
