/** What the steps of one look share. */
import type { Notice, WatchPorts } from './ports.ts';
import type { Memory } from './types.ts';

export interface Pass {
  readonly ports: WatchPorts;
  readonly memories: Map<string, Memory>;
  readonly notices: Notice[];
}
