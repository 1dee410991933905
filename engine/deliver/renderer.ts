import type { Hasher } from '../model/index.ts';
import type { Budget } from './convert.ts';
import type { SourceFile } from './read.ts';
import type { Variables } from './substitute.ts';
import type { ServiceUnit } from './unit.ts';
import type { Value } from './value.ts';

/** Everything that a renderer may look at. */
export interface RenderSource {
  readonly unit: ServiceUnit;
  /** The files of the service's folder that may hold manifests, in name order; at least one. */
  readonly files: readonly SourceFile[];
  readonly variables: Variables;
  readonly budget: Budget;
  readonly hasher: Pick<Hasher, 'sha256'>;
}

export interface Renderer {
  readonly name: string;
  readonly version: string;
  /** The objects to deliver, in order; null where this renderer does not apply. Throws RENDER_FAILED. */
  render(source: RenderSource): readonly Value[] | null;
}
