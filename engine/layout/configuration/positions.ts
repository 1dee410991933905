/** Positions in the text of a configuration, as offsets. */
import { type Alias, type Document, isMap, isScalar, visit } from 'yaml';

/** Offset of the deepest existing node of a path; 0 if there is none. */
export function offsetOf(document: Document.Parsed, path: readonly (string | number)[]): number {
  let offset = 0;
  for (let depth = 1; depth <= path.length; depth += 1) {
    const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const step = path[depth - 1];
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && key.value === step)
      : undefined;
    const node = pair?.key ?? document.getIn(path.slice(0, depth), true);
    const range = isRanged(node) ? node.range : null;
    if (!range) break;
    offset = range[0];
  }
  return offset;
}

/** Offset of the first alias without an anchor; if all have one, of the first alias. */
export function aliasOffset(document: Document.Parsed): number {
  const aliases: Alias[] = [];
  visit(document, { Alias: (_, alias) => void aliases.push(alias) });
  const alias = aliases.find((candidate) => !candidate.resolve(document)) ?? aliases[0];
  return alias?.range?.[0] ?? 0;
}

function isRanged(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}
