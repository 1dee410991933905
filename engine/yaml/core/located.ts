import type { Node } from 'yaml';
import type { ParsedText } from './document.ts';
import type { Body, Entry, Outline } from './outline.ts';
import type { Selector } from './selector.ts';

/** A node found by a selector. */
export interface Located {
  /** The text that the node stands in: another one than was asked where the way leads into a string. */
  readonly parsed: ParsedText;
  readonly outline: Outline;
  /** null only for a bare key of a flow map. */
  readonly node: Node | null;
  /** The entry that holds the node; null for the root of a document. */
  readonly entry: Entry | null;
  readonly keyNode: Node | null;
  readonly parent: Outline | null;
  /** The entries on the way, the node's own last. */
  readonly path: readonly Entry[];
  /** The nodes above, the root first. */
  readonly ancestors: readonly Outline[];
  /** Source range of the value, anchor and tag included: offsets in the text that was asked, the end exclusive. Of the string, where the node stands in one. */
  readonly start: number;
  readonly end: number;
  readonly body: Body;
  /** Among the parser's documents. */
  readonly document: number;
  /** The same way with the steps that identify: keys for maps, matches for list items wherever there is one. */
  readonly selector: Selector;
}
