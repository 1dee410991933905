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

/** A node with its place in the text. Offsets count UTF-16 units; ends are exclusive. */
export interface Outline {
  /** `block` is a block scalar, `empty` a value that is not written at all. */
  readonly kind: 'map' | 'seq' | 'scalar' | 'block' | 'alias' | 'empty';
  /** null only where a flow map holds a bare key. */
  readonly node: Node | null;
  /** A collection in brackets or braces. */
  readonly flow: boolean;
  /** First character of the value, its anchor and tag included. */
  readonly start: number;
  /** After the last character of the content: no comment, no blank line, no final line break. */
  readonly end: number;
  /** Source of an explicit tag, else ''. */
  readonly tag: string;
  readonly anchor: string | null;
  readonly entries: readonly Entry[];
}

/** An entry of a map, or an item of a list. */
export interface Entry {
  /** The key as `toJS` names it; null for list items and for keys that are no scalars. */
  readonly key: string | null;
  readonly keyNode: Node | null;
  /** First character: of the key, of the `-`, or of a flow list's item. */
  readonly start: number;
  /** After the `:` or the `-`. */
  readonly after: number;
  /** Is there a `:` or a `-`? */
  readonly indicated: boolean;
  /** An explicit `? key`. */
  readonly explicit: boolean;
  readonly value: Outline;
}

/** Where an entry's content ends. */
export const endOf = (entry: Entry): number => Math.max(entry.after, entry.value.end);

/** The outline of a parsed document's root; `at` is where an empty document stands. */
export function outlineRoot(text: string, contents: Node | null, at: number): Outline {
  return outlineNode({ text, node: contents, props: [], at });
}

interface Place {
  readonly text: string;
  readonly node: Node | null;
  /** Tokens between the indicator and the value. */
  readonly props: readonly CST.SourceToken[];
  /** Where the value would stand if it is not written. */
  readonly at: number;
}

function outlineNode({ text, node, props, at }: Place): Outline {
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

function entriesOf(text: string, node: Node): Entry[] {
  if (isMap(node)) return node.items.map((pair) => outlinePair(text, pair));
  if (!isSeq(node)) return [];
  const token = node.srcToken;
  const items = token && 'items' in token ? token.items.filter(isItem) : [];
  return node.items.map((item, index) => outlineItem(text, isNode(item) ? item : null, items[index]));
}

type Item = CST.CollectionItem;

/** Not the comments behind the last item, nor what follows a last comma: the composer makes no node of these. */
function isItem(item: Item): boolean {
  return (
    item.start.some(({ type }) => type === 'seq-item-ind') ||
    item.key !== undefined ||
    item.sep !== undefined ||
    item.value !== undefined ||
    item.start.some(({ type }) => type === 'anchor' || type === 'tag')
  );
}

function outlineItem(text: string, item: Node | null, token: Item | undefined): Entry {
  const dash = token?.start.find(({ type }) => type === 'seq-item-ind');
  const shown = token?.key === undefined && token?.sep === undefined ? (token?.start ?? []) : [];
  const after = dash ? dash.offset + dash.source.length : (item?.range?.[0] ?? 0);
  const value = outlineNode({ text, node: item, props: shown, at: after });
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

function outlinePair(text: string, pair: Pair): Entry {
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

/** The text of a scalar's value; '' for null, and null for what has none (a date, bytes). */
export function plainText(value: unknown): string | null {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
    ? String(value)
    : null;
}

export interface Body {
  /** Among `documents`. */
  readonly index: number;
  readonly document: Document.Parsed;
  readonly root: Outline;
}
