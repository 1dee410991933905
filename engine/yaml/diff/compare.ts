import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { FieldChange } from '../../model/index.ts';
import type { ParsedText } from '../core/document.ts';
import type { Outline } from '../core/outline.ts';
import type { Secrets } from '../mask/find-secrets.ts';
import { findSecrets, splice } from '../mask/find-secrets.ts';
import { unmaskSelected } from '../mask/unmasked-values.ts';
import type { DiffBudget } from './line-diff.ts';
import type { NodeList, MatchedPair, Matching } from '../core/match-items.ts';
import { matchItems } from '../core/match-items.ts';
import { rangeOf, scalarText } from '../core/nodes.ts';
import { CHANGED_MASK, isHarmlessValue, MASK } from '../mask/secrets.ts';
import type { Selector, Step } from '../core/selector.ts';
import { formatSelector } from '../core/selector.ts';
import { shorten } from './shorten.ts';
import { linesDiff, valueDiff } from './value-diff.ts';

/** One side of a comparison: a parsed text, and its secrets. */
export interface ComparedText {
  readonly text: string;
  readonly parsed: ParsedText;
  readonly outlines: ReadonlyMap<unknown, Outline>;
  readonly secrets: Secrets;
  /** The secrets as plain text, to detect secrets that differ on the other side. */
  readonly secretTexts: ReadonlySet<string>;
  /** Selectors that are never masked (`maskedSource` of the configuration). */
  readonly unmasked: readonly Selector[];
}

export interface Comparison {
  readonly before: ComparedText;
  readonly after: ComparedText;
  /** Output: filled by the comparison. */
  readonly changes: FieldChange[];
  /** Budget for diffs of long values; null: no diffs. */
  readonly budget: DiffBudget | null;
  /** Spans of `after` that mark secrets not in `before` as changed; computed on demand. */
  markedSpans?: Secrets['spans'];
}

/** Thrown if the difference cannot be given by field: keys that are not scalars, or too many changes. */
export class Incomparable extends Error {}

const MAX_CHANGES = 2000;

/** Adds the differences of two nodes, leaf by leaf. `undefined`: the node does not exist; null: it is empty. */
export function compareNodes(comparison: Comparison, at: MatchedPair, path: Selector): void {
  const { before, after } = at;
  if (before === undefined || after === undefined) return compareOneSided(comparison, at, path);
  if (isMap(before) && isMap(after))
    return compareAll(comparison, matchKeys(comparison, before, after), path);
  if (isSeq(before) && isSeq(after)) {
    const matching = matchItems(
      nodeListOf(comparison.before, before.items),
      nodeListOf(comparison.after, after.items),
    );
    if (matching.reordered !== null) addOrder(comparison, path, matching.reordered);
    return compareAll(comparison, matching.items, path);
  }
  const meant = sameAlias(comparison, at);
  if (meant) return compareNodes(comparison, meant, path);
  if (!isSame(before, after)) add(comparison, at, path);
}

/** The anchored nodes of the same alias on both sides. Recursion is bounded: `parseText` refuses alias bombs. */
function sameAlias(comparison: Comparison, { step, before, after }: MatchedPair): MatchedPair | null {
  if (!isAlias(before) || !isAlias(after) || before.source !== after.source) return null;
  const [old, now] = [
    comparison.before.parsed.aliases.get(before),
    comparison.after.parsed.aliases.get(after),
  ];
  return old && now ? { step, before: old.node, after: now.node } : null;
}

/** Adds every leaf of a node that only one side has; an empty collection counts as a leaf. */
function compareOneSided(comparison: Comparison, { before, after }: MatchedPair, path: Selector): void {
  const node = before ?? after;
  const own = before === undefined ? comparison.after : comparison.before;
  const side = (node: unknown) => (before === undefined ? { after: node } : { before: node });
  if (isMap(node) && node.items.length > 0) {
    for (const [key, value] of entries(node, own))
      compareNodes(comparison, { step: { key }, ...side(value) }, [...path, { key }]);
  } else if (isSeq(node) && node.items.length > 0) {
    for (const { step, before: item } of matchItems(nodeListOf(own, node.items), nodeListOf(own, [])).items)
      compareNodes(comparison, { step, ...side(item ?? null) }, [...path, step]);
  } else add(comparison, { step: { key: '' }, ...side(node ?? null) }, path);
}

function compareAll(comparison: Comparison, items: readonly MatchedPair[], path: Selector): void {
  for (const item of items) compareNodes(comparison, item, [...path, item.step]);
}

function matchKeys(comparison: Comparison, before: unknown, after: unknown): MatchedPair[] {
  const old = entries(before, comparison.before);
  const next = entries(after, comparison.after);
  const matched = [...old].map(([key, value]): MatchedPair => {
    const step: Step = { key };
    return next.has(key) ? { step, before: value, after: next.get(key) } : { step, before: value };
  });
  const added = [...next]
    .filter(([key]) => !old.has(key))
    .map(([key, value]): MatchedPair => ({ step: { key }, after: value }));
  return [...matched, ...added];
}

function entries(node: unknown, side: ComparedText): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const { key, value } of isMap(node) ? node.items : []) {
    if (!isScalar(key) || side.secrets.masked.has(key))
      throw new Incomparable('A key is not a scalar, or is secret.');
    const name = scalarText(key) ?? '';
    if (values.has(name)) throw new Incomparable('Duplicate key.');
    values.set(name, value);
  }
  return values;
}

/**
 * Whether two scalars are equal for every parser. Plain scalars are compared by source, because parsers disagree about values such as
 * `0644` and `on`; quoted and block scalars by value, so that layout is ignored.
 */
function isSame(before: unknown, after: unknown): boolean {
  if (isAlias(before) && isAlias(after)) return before.source === after.source;
  if (isEmpty(before) && isEmpty(after)) return true;
  if (isScalar(before) && isScalar(after)) {
    if (before.tag !== after.tag) return false;
    if (before.type !== 'PLAIN' && after.type !== 'PLAIN') return before.value === after.value;
    return before.type === after.type && before.source === after.source;
  }
  return false;
}

const isEmpty = (node: unknown) => node === null || (isScalar(node) && node.value === null);

function add(comparison: Comparison, at: MatchedPair, path: Selector): void {
  const { before, after } = at;
  const isSecret = comparison.before.secrets.nodes.has(before) || comparison.after.secrets.nodes.has(after);
  const sides = [
    maskedSource(comparison.before, before, isSecret),
    maskedSource(comparison.after, after, isSecret),
  ] as const;
  const shortened = shorten(...sides);
  const op = before === undefined ? 'add' : after === undefined ? 'remove' : 'replace';
  const isLong = !shortened.complete || (op === 'replace' && sides.some((side) => side.includes('\n')));
  push(comparison, {
    selector: formatSelector(path),
    op,
    ...(before === undefined ? {} : { before: shortened.before }),
    ...(after === undefined ? {} : { after: shortened.after }),
    ...(isLong && !isSecret && comparison.budget && { diff: diffOf(comparison, at, comparison.budget) }),
  });
}

function diffOf(comparison: Comparison, { before, after }: MatchedPair, effort: DiffBudget): string {
  const old = before === undefined ? null : maskedSource(comparison.before, before);
  if (before === undefined || after === undefined)
    return valueDiff(
      { before: old, after: after === undefined ? null : maskedSource(comparison.after, after) },
      effort,
    );
  comparison.markedSpans ??= markSpans(comparison);
  const now = sourceOf(comparison.after, after, comparison.markedSpans);
  return valueDiff({ before: old, after: now }, effort);
}

function markSpans({ before, after }: Comparison): Secrets['spans'] {
  const marker = (secret: string) => (before.secretTexts.has(secret) ? MASK : CHANGED_MASK);
  const found = findSecrets(after.text, after.parsed.documents, marker, after.parsed);
  return unmaskSelected(found, after.parsed, after.unmasked).spans;
}

function addOrder(comparison: Comparison, path: Selector, order: NonNullable<Matching['reordered']>): void {
  const words = (items: readonly MatchedPair[]) =>
    items.map(({ step, before }) =>
      'match' in step ? formatSelector([step]) : maskedSource(comparison.before, before),
    );
  const [old, now] = [words(order.before), words(order.after)];
  const { before, after, complete } = shorten(`[${old.join(', ')}]`, `[${now.join(', ')}]`);
  const lines = { before: old.join('\n'), after: now.join('\n') };
  push(comparison, {
    selector: formatSelector(path),
    op: 'replace',
    before,
    after,
    ...(!complete && comparison.budget && { diff: linesDiff(lines, comparison.budget) }),
  });
}

function push(comparison: Comparison, change: FieldChange): void {
  if (comparison.changes.length >= MAX_CHANGES) throw new Incomparable('There are too many changes.');
  comparison.changes.push(change);
}

function maskedSource(side: ComparedText, node: unknown, isSecret = false): string {
  const [start, end] = rangeOf(node) ?? [0, 0];
  if (isSecret && !isHarmlessValue(side.text.slice(start, end))) return MASK;
  return sourceOf(side, node, side.secrets.spans);
}

function sourceOf(side: ComparedText, node: unknown, spans: Secrets['spans']): string {
  const range = rangeOf(node);
  return range ? splice(side.text, spans, ...range).trimEnd() : '';
}

/** Nodes of one side as a list for matching; secret scalars must not become part of a selector. */
export function nodeListOf({ parsed, outlines, secrets }: ComparedText, nodes: readonly unknown[]): NodeList {
  return { parsed, outlines, nodes, mayShow: (scalar) => !secrets.masked.has(scalar) };
}
