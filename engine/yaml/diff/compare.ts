import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { FieldChange } from '../../model/index.ts';
import type { ParsedText } from '../core/document.ts';
import type { Outline } from '../core/outline.ts';
import type { Secrets } from '../mask/find-secrets.ts';
import { findSecrets, splice } from '../mask/find-secrets.ts';
import { lift } from '../mask/unmasked-values.ts';
import type { Effort } from './line-diff.ts';
import type { List, Matched, Matching } from '../core/match-items.ts';
import { matchItems } from '../core/match-items.ts';
import { rangeOf, scalarText } from '../core/nodes.ts';
import { CHANGED_MASK, isHarmlessValue, MASK } from '../mask/secrets.ts';
import type { Selector, Step } from '../core/selector.ts';
import { formatSelector } from '../core/selector.ts';
import { shorten } from './shorten.ts';
import { linesDiff, valueDiff } from './value-diff.ts';

/** A parsed text with what must not be shown of it. */
export interface Side {
  readonly text: string;
  readonly parsed: ParsedText;
  readonly outlines: ReadonlyMap<unknown, Outline>;
  readonly secrets: Secrets;
  /** The texts of its secrets, to tell which are other ones on the other side. */
  readonly known: ReadonlySet<string>;
  /** What of it may be read whatever it looks like. */
  readonly shown: readonly Selector[];
}

export interface Comparison {
  readonly before: Side;
  readonly after: Side;
  /** Filled by the comparison. */
  readonly changes: FieldChange[];
  /** For the lines of long values; null: none are asked for. */
  readonly effort: Effort | null;
  /** The spans of `after` with another mark for secrets that `before` does not hold; found when they are needed. */
  markedSpans?: Secrets['spans'];
}

/** Thrown where fields cannot tell the difference: keys that are no scalars, or too many changes to read. */
export class Incomparable extends Error {}

const CHANGES_SHOWN = 2000;

/** Adds the differences of two nodes to the comparison, leaf by leaf. `undefined` stands for no node, null for an empty one. */
export function compareNodes(comparison: Comparison, at: Matched, path: Selector): void {
  const { before, after } = at;
  if (before === undefined || after === undefined) return compareOneSided(comparison, at, path);
  if (isMap(before) && isMap(after))
    return compareAll(comparison, matchKeys(comparison, before, after), path);
  if (isSeq(before) && isSeq(after)) {
    const matching = matchItems(
      listOf(comparison.before, before.items),
      listOf(comparison.after, after.items),
    );
    if (matching.reordered !== null) addOrder(comparison, path, matching.reordered);
    return compareAll(comparison, matching.items, path);
  }
  const meant = sameAlias(comparison, at);
  if (meant) return compareNodes(comparison, meant, path);
  if (!isSame(before, after)) add(comparison, at, path);
}

/** What one alias stands for on either side: it may have changed at its anchor. The text bounds what aliases can stand for. */
function sameAlias(comparison: Comparison, { step, before, after }: Matched): Matched | null {
  if (!isAlias(before) || !isAlias(after) || before.source !== after.source) return null;
  const [old, now] = [
    comparison.before.parsed.aliases.get(before),
    comparison.after.parsed.aliases.get(after),
  ];
  return old && now ? { step, before: old.node, after: now.node } : null;
}

/** What was added or removed: every leaf, an empty collection as one. */
function compareOneSided(comparison: Comparison, { before, after }: Matched, path: Selector): void {
  const node = before ?? after;
  const own = before === undefined ? comparison.after : comparison.before;
  const side = (node: unknown) => (before === undefined ? { after: node } : { before: node });
  if (isMap(node) && node.items.length > 0) {
    for (const [key, value] of entries(node, own))
      compareNodes(comparison, { step: { key }, ...side(value) }, [...path, { key }]);
  } else if (isSeq(node) && node.items.length > 0) {
    for (const { step, before: item } of matchItems(listOf(own, node.items), listOf(own, [])).items)
      compareNodes(comparison, { step, ...side(item ?? null) }, [...path, step]);
  } else add(comparison, { step: { key: '' }, ...side(node ?? null) }, path);
}

function compareAll(comparison: Comparison, items: readonly Matched[], path: Selector): void {
  for (const item of items) compareNodes(comparison, item, [...path, item.step]);
}

function matchKeys(comparison: Comparison, before: unknown, after: unknown): Matched[] {
  const old = entries(before, comparison.before);
  const next = entries(after, comparison.after);
  const matched = [...old].map(([key, value]): Matched => {
    const step: Step = { key };
    return next.has(key) ? { step, before: value, after: next.get(key) } : { step, before: value };
  });
  const added = [...next]
    .filter(([key]) => !old.has(key))
    .map(([key, value]): Matched => ({ step: { key }, after: value }));
  return [...matched, ...added];
}

function entries(node: unknown, side: Side): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const { key, value } of isMap(node) ? node.items : []) {
    if (!isScalar(key) || side.secrets.masked.has(key))
      throw new Incomparable('A key is no scalar, or holds a secret.');
    const name = scalarText(key) ?? '';
    if (values.has(name)) throw new Incomparable('Two keys read the same.');
    values.set(name, value);
  }
  return values;
}

/**
 * Are two values written to mean the same? Plain scalars by their text, because `0644` and `420`, or `on` and `"on"`, are read
 * differently by different parsers; quoted and block scalars by their value, so that layout makes no difference.
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

function add(comparison: Comparison, at: Matched, path: Selector): void {
  const { before, after } = at;
  const isSecret = comparison.before.secrets.nodes.has(before) || comparison.after.secrets.nodes.has(after);
  const sides = [show(comparison.before, before, isSecret), show(comparison.after, after, isSecret)] as const;
  const shown = shorten(...sides);
  const op = before === undefined ? 'add' : after === undefined ? 'remove' : 'replace';
  const isLong = !shown.complete || (op === 'replace' && sides.some((side) => side.includes('\n')));
  push(comparison, {
    selector: formatSelector(path),
    op,
    ...(before === undefined ? {} : { before: shown.before }),
    ...(after === undefined ? {} : { after: shown.after }),
    ...(isLong && !isSecret && comparison.effort && { diff: diffOf(comparison, at, comparison.effort) }),
  });
}

function diffOf(comparison: Comparison, { before, after }: Matched, effort: Effort): string {
  const old = before === undefined ? null : show(comparison.before, before);
  if (before === undefined || after === undefined)
    return valueDiff(
      { before: old, after: after === undefined ? null : show(comparison.after, after) },
      effort,
    );
  comparison.markedSpans ??= markSpans(comparison);
  const now = sourceOf(comparison.after, after, comparison.markedSpans);
  return valueDiff({ before: old, after: now }, effort);
}

function markSpans({ before, after }: Comparison): Secrets['spans'] {
  const marker = (secret: string) => (before.known.has(secret) ? MASK : CHANGED_MASK);
  const found = findSecrets(after.text, after.parsed.documents, marker, after.parsed);
  return lift(found, after.parsed, after.shown).spans;
}

function addOrder(comparison: Comparison, path: Selector, order: NonNullable<Matching['reordered']>): void {
  const words = (items: readonly Matched[]) =>
    items.map(({ step, before }) =>
      'match' in step ? formatSelector([step]) : show(comparison.before, before),
    );
  const [old, now] = [words(order.before), words(order.after)];
  const { before, after, complete } = shorten(`[${old.join(', ')}]`, `[${now.join(', ')}]`);
  const lines = { before: old.join('\n'), after: now.join('\n') };
  push(comparison, {
    selector: formatSelector(path),
    op: 'replace',
    before,
    after,
    ...(!complete && comparison.effort && { diff: linesDiff(lines, comparison.effort) }),
  });
}

function push(comparison: Comparison, change: FieldChange): void {
  if (comparison.changes.length >= CHANGES_SHOWN) throw new Incomparable('There are too many changes.');
  comparison.changes.push(change);
}

function show(side: Side, node: unknown, isSecret = false): string {
  const [start, end] = rangeOf(node) ?? [0, 0];
  if (isSecret && !isHarmlessValue(side.text.slice(start, end))) return MASK;
  return sourceOf(side, node, side.secrets.spans);
}

function sourceOf(side: Side, node: unknown, spans: Secrets['spans']): string {
  const range = rangeOf(node);
  return range ? splice(side.text, spans, ...range).trimEnd() : '';
}

/** Nodes of one side as a list; a scalar that holds a secret must not become part of a selector. */
export function listOf({ parsed, outlines, secrets }: Side, nodes: readonly unknown[]): List {
  return { parsed, outlines, nodes, mayShow: (scalar) => !secrets.masked.has(scalar) };
}
