/** Values of manifests and clusters as they may be shown: without secrets, control characters or great length. */
import { isMap, isScalar, isSeq } from 'yaml';
import { childOf, scalarText } from '../../yaml/core/nodes.ts';
import { tryParse } from '../../yaml/core/try-parse.ts';
import { findSecrets } from '../../yaml/mask/find-secrets.ts';
import { MASK } from '../../yaml/mask/secrets.ts';
import { isFields } from '../read.ts';
import { type ItemStep, itemAt, type Step } from './path.ts';

interface Side {
  /** The object that holds it. */
  readonly object: unknown;
  readonly value: unknown;
}

interface ShownField {
  readonly desired: unknown;
  /** Absent where the cluster has none. */
  readonly live?: unknown;
}

/** `live`: null where the cluster has none. What is secret on one side is shown on neither. */
export function showField(
  steps: readonly Step[],
  { desired, live }: { readonly desired: Side; readonly live: Side | null },
): ShownField {
  const [wanted, found] = [masked(steps, desired), live && masked(steps, live)];
  if (found === null) return { desired: wanted.shown };
  const isSecret = wanted.isSecret || found.isSecret;
  return isSecret ? { desired: MASK, live: MASK } : { desired: wanted.shown, live: found.shown };
}

interface Masked {
  readonly shown: unknown;
  /** A secret as a whole, or one that holds one. */
  readonly isSecret: boolean;
}

/** Characters of a value, as JSON, up to which it is looked through. */
const MOST = 256 * 1024;
const HIDDEN: Masked = { shown: MASK, isSecret: true };

/** Secrets are found by what is around them: a value is looked at in the part of its object that leads to it. */
function masked(steps: readonly Step[], { object, value }: Side): Masked {
  const text = textOf(partOf(object, steps, value));
  const root = text === null || text.length > MOST ? undefined : tryParse(text)?.[0];
  if (text === null || root === undefined) return HIDDEN;
  const { masked: secrets } = findSecrets(text, [root], () => MASK);
  let node: unknown = root.contents;
  for (const step of steps)
    if (typeof step === 'string') node = childOf(node, step);
    else node = isSeq(node) ? node.items[placeIn(node.items, step)] : undefined;
  if (node === undefined) return HIDDEN;
  return { shown: shown(node, secrets, 0), isSecret: isScalar(node) && secrets.has(node) };
}

/** null: it is nested too deeply. */
function textOf(value: unknown): string | null {
  try {
    return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Lists of maps lead to one item; lists of scalars are whole. */
const placeIn = (items: readonly unknown[], { index }: ItemStep) => (items.length === 1 ? 0 : index);

/** What beside a value can say that it is a secret, or is none (engine/yaml/mask/find-secrets.ts). */
const TELLING =
  /^(?:apiVersion|kind|name|key|variable|parameter|env|id|path|operator|effect|values?|optional|property|version|weight|mode|paths)$/i;
/** Characters of such a value, and items of a list of scalars. */
const NEAR = { length: 200, items: 200 };

function partOf(object: unknown, steps: readonly Step[], value: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (typeof step === 'string') {
    const map = isFields(object) ? object : {};
    const near = Object.entries(map).filter(
      ([key, each]) => key !== step && TELLING.test(key) && isNear(each),
    );
    const inner = partOf(Object.hasOwn(map, step) ? map[step] : undefined, rest, value);
    return Object.fromEntries([...near, [step, inner]]);
  }
  const items = Array.isArray(object) ? object : [];
  const at = itemAt(items, step);
  if (rest.length === 0 && items.length <= NEAR.items && items.every(isNear) && at !== -1)
    return items.map((item: unknown, index) => (index === step.index ? value : item));
  return [partOf(items[at], rest, value)];
}

const isNear = (value: unknown) =>
  typeof value === 'string' ? value.length <= NEAR.length : typeof value !== 'object' && value !== undefined;

const DEEP = 8;
const WIDE = 50;
const LONG = 500;

function shown(node: unknown, secrets: ReadonlySet<unknown>, depth: number): unknown {
  if (isScalar(node)) {
    if (secrets.has(node)) return MASK;
    return typeof node.value === 'string' ? shownText(node.value, LONG) : node.value;
  }
  if (depth >= DEEP) return '…';
  if (isSeq(node)) {
    const items = node.items.slice(0, WIDE).map((item) => shown(item, secrets, depth + 1));
    return node.items.length > WIDE ? [...items, `… ${node.items.length - WIDE} more`] : items;
  }
  if (!isMap(node)) return null;
  const entries = node.items
    .slice(0, WIDE)
    .map(
      ({ key, value }) => [shownText(scalarText(key) ?? '', LONG), shown(value, secrets, depth + 1)] as const,
    );
  const more = node.items.length - WIDE;
  return Object.fromEntries(more > 0 ? [...entries, ['…', `${more} more`] as const] : entries);
}

const UNPRINTABLE = /(?![\n\t])[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** On a terminal or a page it does nothing but stand there. */
export function shownText(text: string, length: number): string {
  const cut = text.length > length ? `${text.slice(0, length)}…` : text;
  return cut.replace(UNPRINTABLE, '\ufffd');
}
