import type { DeliveryCommand, Hasher, Programs, TreeView } from '../model/index.ts';
import type { Variables } from './plain/substitute.ts';
import type { SourceFile } from './read.ts';
import type { ServiceUnit } from './unit.ts';
import type { Value } from './value.ts';

/** What renderings share, whatever tree they are of. */
export interface RenderContext {
  readonly hasher: Pick<Hasher, 'sha256'>;
  /** null: no program may run. */
  readonly programs: Programs | null;
  /** The configuration's own. */
  readonly command: DeliveryCommand | null;
  /** Asked for once. */
  readonly versions: { kustomize?: Promise<Tool | null>; command?: Promise<string> };
}

/** Everything that a renderer may look at. */
export interface RenderSource extends RenderContext {
  readonly view: TreeView;
  readonly unit: ServiceUnit;
  /** The files of the service's folder that may hold manifests, in name order. */
  files(): Promise<readonly SourceFile[]>;
  variables(): Promise<Variables>;
}

export interface RenderResult {
  /** Where the renderer is a program that somebody chose: its name. */
  readonly name?: string;
  /** Grows when the same source renders to other bytes; '' where nobody knows. */
  readonly version: string;
  /** In order. */
  readonly objects: readonly Value[];
}

export interface Renderer {
  readonly name: string;
  /** The objects to deliver; null where this renderer does not apply. Throws RENDER_FAILED. */
  render(source: RenderSource): Promise<RenderResult | null>;
}

export interface Tool {
  readonly build: readonly string[];
  /** Of Kustomize itself. */
  readonly version: string;
}
