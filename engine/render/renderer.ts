import type { DeliveryCommand, Hasher, Programs, TreeView } from '../model/index.ts';
import type { Variables } from './plain/substitute.ts';
import type { SourceFile } from './source-file.ts';
import type { ServiceUnit } from './service-unit.ts';
import type { Value } from './value.ts';

/** Shared by all renderings, of any tree. */
export interface RenderContext {
  readonly hasher: Pick<Hasher, 'sha256'>;
  /** null: no program may run. */
  readonly programs: Programs | null;
  /** `delivery.command` of the configuration. */
  readonly command: DeliveryCommand | null;
  /** Cache of program versions. */
  readonly versions: { kustomize?: Promise<Tool | null>; command?: Promise<string> };
}

/** The input of a renderer. */
export interface RenderSource extends RenderContext {
  readonly view: TreeView;
  readonly unit: ServiceUnit;
  /** Files of the service's folder that may have manifests, sorted by name. */
  files(): Promise<readonly SourceFile[]>;
  variables(): Promise<Variables>;
}

interface RenderResult {
  /** Name of the program, for renderer `command`. */
  readonly name?: string;
  /** Must increase when the same source renders to different bytes; '' if unknown. */
  readonly version: string;
  /** In output order. */
  readonly objects: readonly Value[];
}

export interface Renderer {
  readonly name: string;
  /** The objects to deliver; null if this renderer does not apply. Rejects with RENDER_FAILED. */
  render(source: RenderSource): Promise<RenderResult | null>;
}

export interface Tool {
  readonly build: readonly string[];
  /** Version of Kustomize itself. */
  readonly version: string;
}
