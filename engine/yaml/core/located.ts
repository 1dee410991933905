import type { Node } from 'yaml';
import type { ParsedText } from './document.ts';
import type { DocumentBody, OutlineEntry, Outline } from './outline.ts';
import type { Selector } from './selector.ts';

/** The node that a selector selects. */
export interface Located {
  /** The text that contains the node: that of the inner document if the selector enters a string. */
  readonly parsed: ParsedText;
  readonly outline: Outline;
  /** null only for a key without a value in a flow map. */
  readonly node: Node | null;
  /** The entry whose value is the node; null for the root of a document. */
  readonly entry: OutlineEntry | null;
  readonly keyNode: Node | null;
  readonly parent: Outline | null;
  /** Entries from the root to the node, the node's own last. */
  readonly path: readonly OutlineEntry[];
  /** Ancestors of the node, the root first. */
  readonly ancestors: readonly Outline[];
  /** Range of the value in the outermost text, anchor and tag included, end exclusive. The range of the whole string if the selector enters one. */
  readonly start: number;
  readonly end: number;
  readonly body: DocumentBody;
  /** Index among the parser's documents. */
  readonly document: number;
  /** The canonical selector: keys for maps, matches for list items where possible. */
  readonly selector: Selector;
}
