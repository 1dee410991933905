import type { ParsedText } from './document.ts';
import type { Entry, Outline } from './outline.ts';

/** A `<<` without quotes. */
export function isMerge({ key, keyNode }: Entry): boolean {
  return key === '<<' && keyNode !== null && 'type' in keyNode && keyNode.type === 'PLAIN';
}

/** Does `<<` bring this key into a map? */
export function isMerged(parsed: ParsedText, map: Outline, key: string): boolean {
  return map.entries.filter(isMerge).some(({ value }) => brings(parsed, value, key));
}

function brings(parsed: ParsedText, outline: Outline, key: string): boolean {
  const source = outline.kind === 'alias' && outline.node ? parsed.aliases.get(outline.node) : outline;
  if (!source) return false;
  if (source.kind === 'seq') return source.entries.some(({ value }) => brings(parsed, value, key));
  return source.entries.some((entry) => entry.key === key) || isMerged(parsed, source, key);
}
