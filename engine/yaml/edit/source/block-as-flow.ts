import type { ParsedText } from '../../core/document.ts';
import type { Outline } from '../../core/outline.ts';
import { refuse } from '../../core/refusal.ts';
import { keySource } from '../../core/source.ts';
import { positionOf } from '../../core/text.ts';

export const isBlock = ({ kind, flow }: Outline): boolean =>
  kind === 'block' || ((kind === 'map' || kind === 'seq') && !flow);

/**
 * The source of a block value rewritten for a flow collection at `place`: the same keys and scalars, character for character, separated
 * by commas, without comments. Refuses values without a flow form: strings of several lines, anchors, aliases, explicit keys.
 * Whether it parses to the same value is verified later: a comma in a plain scalar would split it.
 */
export function flowSource(parsed: ParsedText, outline: Outline, place: string): string {
  const { text } = parsed;
  const { kind, entries, tag } = outline;
  const source = text.slice(outline.start, outline.end);
  const cannot = (what: string, at: number): never =>
    refuse(
      'flow-unsupported',
      `${what} cannot be written into the brackets at ${place} (it was at ${positionOf(text, at)}).`,
    );
  if (kind === 'block') return cannot('A block scalar', outline.start);
  if (outline.anchor !== null || kind === 'alias') return cannot('An anchor or alias', outline.start);
  if (!isBlock(outline))
    return source.includes('\n') ? cannot('A value of several lines', outline.start) : source;
  const own = entries.map((entry) => {
    const value = flowSource(parsed, entry.value, place);
    const isBare = kind === 'seq' ? value === '' : entry.explicit || !entry.indicated;
    if (isBare) return cannot('An entry without a value or with a "?"', entry.start);
    return kind === 'seq' ? value : `${keySource(text, entry)}:${value === '' ? '' : ` ${value}`}`;
  });
  const inside = own.join(', ');
  return `${tag === '' ? '' : `${tag} `}${kind === 'map' ? `{${inside}}` : `[${inside}]`}`;
}
