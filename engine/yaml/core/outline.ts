import {
  type CST,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
} from 'yaml';
import { blockScalarEnd } from './text.ts';

/** A node with its position in the text. Offsets are UTF-16 units; ends are exclusive. */
export interface Outline {
  /** `block` is a block scalar, `empty` a value that is not written. */
  readonly kind: 'map' | 'seq' | 'scalar' | 'block' | 'alias' | 'empty';
  /** null only for a key without a value in a flow map. */
  readonly node: Node | null;
  /** A flow collection (brackets or braces). */
  readonly flow: boolean;
  /** First character of the value, including anchor and tag. */
  readonly start: number;
  /** After the last character of the content, excluding comments, blank lines and the final line break. */
  readonly end: number;
  /** Source of an explicit tag, else ''. */
  readonly tag: string;
  readonly anchor: string | null;
  readonly entries: readonly OutlineEntry[];
}

/** An entry of a map, or an item of a list. */
export interface OutlineEntry {
  /** The key as `toJS` gives it; null for list items and for keys that are not scalars. */
  readonly key: string | null;
  readonly keyNode: Node | null;
  /** First character of the key, of the `-`, or of a flow list's item. */
  readonly start: number;
  /** After the `:` or the `-`. */
  readonly after: number;
  /** Whether a `:` or a `-` is written. */
  readonly indicated: boolean;
  /** Whether the key is explicit (`? key`). */
  readonly explicit: boolean;
  readonly value: Outline;
}

/** End of an entry's content. */
export const endOf = (entry: OutlineEntry): number => Math.max(entry.after, entry.value.end);

/** The outline of a document's root; `at` is the position of an empty document. */
export function outlineRoot(text: string, contents: Node | null, at: number): Outline {
  return outlineNode({ text, node: contents, props: [], at });
}

interface OutlineInput {
  readonly text: string;
  readonly node: Node | null;
  /** Tokens between the indicator and the value. */
  readonly props: readonly CST.SourceToken[];
  /** Position of the value if it is not written. */
  readonly at: number;
}

function outlineNode({ text, node, props, at }: OutlineInput): Outline {
  const own = props.filter(({ type }) => type === 'anchor' || type === 'tag');
  const tag = own.find(({ type }) => type === 'tag')?.source ?? '';
  const anchor = own.find(({ type }) => type === 'anchor')?.source.slice(1) ?? anchorOf(node);
  const last = own.at(-1);
  const propsEnd = last ? last.offset + last.source.length : at;
  const base = { node, tag, anchor, flow: false, entries: [] };
  if (node === null || isEmpty(node))
    return { ...base, kind: 'empty', start: own[0]?.offset ?? at, end: propsEnd };
  const [valueStart, valueEnd] = node.range ?? [at, at];
  const start = own[0]?.offset ?? valueStart;
  if (isAlias(node)) return { ...base, kind: 'alias', start, end: valueEnd };
  if (isScalar(node)) {
    if (node.type !== 'BLOCK_LITERAL' && node.type !== 'BLOCK_FOLDED')
      return { ...base, kind: 'scalar', start, end: valueEnd };
    return { ...base, kind: 'block', start, end: blockScalarEnd(text, valueStart, valueEnd) };
  }
  const flow = isCollection(node) && (node.flow ?? false);
  const entries = entriesOf(text, node);
  const lastEntry = entries.at(-1);
  const end = flow || !lastEntry ? valueEnd : endOf(lastEntry);
  return { ...base, kind: isMap(node) ? 'map' : 'seq', flow, start, end, entries };
}

const anchorOf = (node: Node | null) =>
  node && 'anchor' in node && typeof node.anchor === 'string' ? node.anchor : null;

function isEmpty(node: Node): boolean {
  return isScalar(node) && node.source === '' && node.type === 'PLAIN';
}

function entriesOf(text: string, node: Node): OutlineEntry[] {
  if (isMap(node)) return node.items.map((pair) => outlinePair(text, pair));
  if (!isSeq(node)) return [];
  const token = node.srcToken;
  const items = token && 'items' in token ? token.items.filter(isItem) : [];
  return node.items.map((item, index) => outlineItem(text, isNode(item) ? item : null, items[index]));
}

type Item = CST.CollectionItem;

/** Excludes comments after the last item and a trailing comma: the composer creates no node for these. */
function isItem(item: Item): boolean {
  return (
    item.start.some(({ type }) => type === 'seq-item-ind') ||
    item.key !== undefined ||
    item.sep !== undefined ||
    item.value !== undefined ||
    item.start.some(({ type }) => type === 'anchor' || type === 'tag')
  );
}

function outlineItem(text: string, item: Node | null, token: Item | undefined): OutlineEntry {
  const dash = token?.start.find(({ type }) => type === 'seq-item-ind');
  const props = token?.key === undefined && token?.sep === undefined ? (token?.start ?? []) : [];
  const after = dash ? dash.offset + dash.source.length : (item?.range?.[0] ?? 0);
  const value = outlineNode({ text, node: item, props, at: after });
  const start = dash?.offset ?? value.start;
  return {
    key: null,
    keyNode: null,
    start,
    after: dash ? after : start,
    indicated: true,
    explicit: false,
    value,
  };
}

function outlinePair(text: string, pair: Pair): OutlineEntry {
  const keyNode = isNode(pair.key) ? pair.key : null;
  const valueNode = isNode(pair.value) ? pair.value : null;
  const token = pair.srcToken;
  const sep = token?.sep ?? [];
  const colon = sep.findIndex(({ type }) => type === 'map-value-ind');
  const indicator = sep[colon];
  const mark = token?.start.find(({ type }) => type === 'explicit-key-ind');
  const keyRange = keyNode?.range ?? [0, 0, 0];
  const props = token?.start.find(({ type }) => type === 'anchor' || type === 'tag');
  const after = indicator ? indicator.offset + indicator.source.length : keyRange[1];
  return {
    key: keyNode && keyText(keyNode),
    keyNode,
    start: mark?.offset ?? props?.offset ?? keyRange[0],
    after,
    indicated: indicator !== undefined,
    explicit: mark !== undefined || props !== undefined,
    value: outlineNode({ text, node: valueNode, props: sep.slice(colon + 1), at: after }),
  };
}

function keyText(key: Node): string | null {
  return isScalar(key) ? plainText(key.value) : null;
}

/** The text of a scalar's value; '' for null; null for a value without a text form (a date, bytes). */
export function plainText(value: unknown): string | null {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
    ? String(value)
    : null;
}

export interface DocumentBody {
  /** Index in `documents`. */
  readonly index: number;
  readonly document: Document.Parsed;
  readonly root: Outline;
}
