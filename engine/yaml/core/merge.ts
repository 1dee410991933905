import type { ParsedText } from './document.ts';
import type { OutlineEntry, Outline } from './outline.ts';

/** An unquoted `<<` key. */
export function isMerge({ key, keyNode }: OutlineEntry): boolean {
  return key === '<<' && keyNode !== null && 'type' in keyNode && keyNode.type === 'PLAIN';
}

/** Whether `<<` merges this key into a map. */
export function isMerged(parsed: ParsedText, map: Outline, key: string): boolean {
  return map.entries.filter(isMerge).some(({ value }) => mergesIn(parsed, value, key));
}

function mergesIn(parsed: ParsedText, outline: Outline, key: string): boolean {
  const source = outline.kind === 'alias' && outline.node ? parsed.aliases.get(outline.node) : outline;
  if (!source) return false;
  if (source.kind === 'seq') return source.entries.some(({ value }) => mergesIn(parsed, value, key));
  return source.entries.some((entry) => entry.key === key) || isMerged(parsed, source, key);
}
