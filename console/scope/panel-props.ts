import type { EnvironmentView } from '../contract.ts';
import type { ScopeNames } from '../data/paths.ts';

/** What every tab of a scope is given. */
export interface PanelProps {
  readonly names: ScopeNames;
  readonly environment: EnvironmentView;
}
