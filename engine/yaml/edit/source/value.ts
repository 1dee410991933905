import type { EditContext, Slot } from '../context.ts';
import { flowSource, isBlock } from './block-as-flow.ts';
import { refuse } from '../../core/refusal.ts';
import { reindent, type Splice } from '../../core/splice.ts';
import type { Outline } from '../../core/outline.ts';
import { lineEnd, positionOf, startsLine } from '../../core/text.ts';

/**
 * Position of a value and of its comment. `tail`: on the indicator's line, comment after its end. `below`: the same, but starting on a later
 * line. `head`: a block, comment on the indicator's line. `compact`: a collection that starts on the line of its `-`.
 */
type Style = 'tail' | 'below' | 'head' | 'compact';

/** The source of a value, split where its first line may have a comment. */
export interface Pieces {
  readonly style: Style;
  /** Spaces between the indicator and the value, if both are on one line. */
  readonly gap: string;
  readonly first: string;
  /** Comment on the indicator's line of a `head` or `below`, with the spaces before it. */
  readonly comment: string;
  readonly rest: string;
}

/**
 * Replaces a value by the target's source, reindented to the column of the base. A comment on the same line is kept, even if the value
 * changes between a block and a single line.
 */
export function setValue(context: EditContext, base: Slot, target: Slot): Splice {
  const delta = base.column - target.column;
  if (!base.inFlow) return setPieces(context, base, piecesOf(target), delta);
  const isMoved = [base, target].every(({ parsed, entry }) => entry && startsLine(parsed.text, entry.start));
  const { parsed, outline } = target;
  const pieces = isBlock(outline)
    ? inlinePieces(flowSource(parsed, outline, positionOf(base.parsed.text, base.outline.start)))
    : piecesOf(target);
  return setInFlow(context, base, pieces, isMoved ? delta : 0);
}

export function setPieces({ eol }: EditContext, base: Slot, next: Pieces, delta: number): Splice {
  const { text } = base.parsed;
  const { outline, entry } = base;
  const old = piecesOf(base);
  const start = entry?.after ?? outline.start;
  const isBlockStyle = old.style === 'head' || old.style === 'compact';
  const behind = isBlockStyle
    ? ''
    : (/^[ \t]+#.*$/.exec(text.slice(outline.end, lineEnd(text, outline.end)))?.[0] ?? '');
  if (behind !== '' && old.comment !== '')
    refuse('unsupported', `The value has two comments (${positionOf(text, start)}).`);
  const gap = keepsGap(old) && keepsGap(next) ? old.gap : next.gap || (entry && next.first !== '' ? ' ' : '');
  const rest = reindent(next.rest, delta, eol);
  if (next.style === 'tail' || next.style === 'below') {
    const comments = next.style === 'below' ? [old.comment, ''] : ['', old.comment];
    const end = outline.kind === 'block' || !isBlockStyle ? outline.end : lineEnd(text, outline.end);
    return { start, end, text: gap + next.first + comments[0] + rest + comments[1] };
  }
  // A comment after the value moves to the first line; spaces there must not become part of a block.
  const end = outline.kind === 'block' ? outline.end : lineEnd(text, outline.end);
  const comment = behind + old.comment;
  if (comment !== '' && next.style === 'compact' && next.first.includes('#')) {
    refuse(
      'unsupported',
      `The comment of the value does not fit beside its new value (${positionOf(text, start)}).`,
    );
  }
  return { start, end, text: gap + next.first + comment + rest };
}

const keepsGap = ({ gap, style }: Pieces): boolean => gap !== '' && style !== 'compact';

/** In a flow collection only the value itself is replaced. */
function setInFlow(
  { eol }: EditContext,
  { parsed, entry, outline }: Slot,
  next: Pieces,
  delta: number,
): Splice {
  const place = positionOf(parsed.text, outline.start);
  if (next.style !== 'tail' || entry?.indicated !== true) {
    refuse('flow-unsupported', `A block cannot be written into brackets (${place}).`);
  }
  const isGlued = outline.kind === 'empty' && entry.key !== null && next.first !== '';
  return {
    start: outline.start,
    end: outline.end,
    text: (isGlued ? ' ' : '') + next.first + reindent(next.rest, delta, eol),
  };
}

function piecesOf({ parsed: { text }, entry, outline }: Slot): Pieces {
  const after = entry?.after ?? outline.start;
  if (outline.kind === 'empty')
    return { style: 'tail', gap: '', first: text.slice(after, outline.end), comment: '', rest: '' };
  const isCollection = outline.kind !== 'block' && isBlock(outline);
  // The last line of a block collection may end with the comment of its last entry, which is part of it.
  const end = isCollection ? lineEnd(text, outline.end) : outline.end;
  const source = text.slice(after, end);
  const newline = source.search(/\r?\n/);
  const line = newline < 0 ? source : source.slice(0, newline);
  const rest = newline < 0 ? '' : source.slice(newline);
  const gap = /^[ \t]*/.exec(line)?.[0] ?? '';
  const style = styleOf(outline, isCollection, after + line.length);
  if (style === 'tail' || style === 'compact')
    return { style, gap, first: line.slice(gap.length), comment: '', rest };
  const comment = /(?:^|[ \t]+)#.*$/.exec(line)?.[0] ?? '';
  const first = line.slice(0, line.length - comment.length).trim();
  return { style, gap: first === '' ? '' : gap, first, comment, rest };
}

function styleOf(outline: Outline, isCollection: boolean, lineStop: number): Style {
  if (outline.kind === 'block') return 'head';
  if (!isCollection) return outline.start > lineStop ? 'below' : 'tail';
  return (outline.entries[0]?.start ?? 0) > lineStop ? 'head' : 'compact';
}

/** A value of one line, such as `{}` or `[]`. */
export const inlinePieces = (text: string): Pieces => ({
  style: 'tail',
  gap: ' ',
  first: text,
  comment: '',
  rest: '',
});
