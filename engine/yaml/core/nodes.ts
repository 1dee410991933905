import { isMap, isNode, isScalar } from 'yaml';

/** Reads parsed nodes without following aliases. */

/** A scalar's value as text, in the form `toJS` uses for keys ('' for null); null if the node is not a scalar. */
export function scalarText(node: unknown): string | null {
  if (!isScalar(node)) return null;
  const { value } = node;
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : (node.source ?? '');
}

/** The node under a key of a map. */
export function childOf(node: unknown, key: string): unknown {
  return isMap(node) ? node.items.find((item) => scalarText(item.key) === key)?.value : undefined;
}

/** Start and end of a node's value in the text, in UTF-16 units. */
export function rangeOf(node: unknown): readonly [start: number, end: number] | null {
  return isNode(node) && node.range ? [node.range[0], node.range[1]] : null;
}
