/** A layout in the making: names that may be environments, and the services with them. */
import type { Axis } from '../survey/axes.ts';

export interface Candidate {
  readonly axis: Axis;
  readonly hasTenant: boolean;
  readonly names: ReadonlySet<string>;
  /** Pattern of the environment; null where a service stands above it. */
  readonly environment: string | null;
  readonly services: readonly { readonly pattern: string; readonly names: ReadonlySet<string> }[];
  readonly serviceNames: ReadonlySet<string>;
  readonly score: number;
  readonly isConvincing: boolean;
  /** Looks like what a tool made from the rest. */
  readonly isGenerated: boolean;
  /** The tree names no environment: what holds the services is taken as the only one. */
  readonly isOnly: boolean;
}
