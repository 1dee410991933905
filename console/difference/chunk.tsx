/** Some lines of a difference: drawn when they come near the screen, and kept from then on. */
import { useEffect, useRef } from 'preact/hooks';
import { useNear } from '../parts/near.ts';
import type { Line, Row } from './lines.ts';
import { Words } from './words.tsx';

/** Pixels: about as high as a line is, until it is drawn. */
const LINE_HEIGHT = 24;

interface ChunkProps {
  /** Of the first; empty: it goes on with the one before. */
  readonly title: string;
  readonly rows: readonly Row[];
  readonly id: string;
  readonly isSplit: boolean;
  readonly onUnfold: (at: number) => void;
}

/** A table of its own: browsers lay a table out as a whole, which takes long where it has thousands of lines. */
export function Chunk({ title, rows, id, isSplit, onUnfold }: ChunkProps) {
  const box = useRef<HTMLDivElement>(null);
  const isFirst = title !== '';
  const isNear = useNear(box, { isFirst });
  const wasNear = useRef(isFirst || hasTarget(rows, id));
  if (isNear) wasNear.current = true;
  useEffect(() => {
    if (hasTarget(rows, id))
      document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: 'center' });
  }, []);
  if (!wasNear.current) return <div ref={box} style={{ height: `${rows.length * LINE_HEIGHT}px` }} />;
  return (
    <div ref={box} class="chunk">
      <table class={isSplit ? 'lines split' : 'lines'} {...(!isFirst && { role: 'presentation' })}>
        {isFirst && <caption class="hidden">{title}</caption>}
        <colgroup>
          {(isSplit ? ['left', 'right'] : ['only']).flatMap((side) => [
            <col key={`${side} number`} class="of-numbers" />,
            <col key={side} />,
          ])}
        </colgroup>
        <tbody>
          {rows.map((row, index) => (
            <DrawnRow
              key={index}
              of={row}
              isStart={isChange(row) && !isChange(rows[index - 1])}
              {...{ id, isSplit, onUnfold }}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const isChange = (row: Row | undefined): boolean =>
  row !== undefined && 'left' in row && row.left !== row.right;

interface DrawnRowProps extends Pick<ChunkProps, 'id' | 'isSplit' | 'onUnfold'> {
  readonly of: Row;
  /** The first of lines that differ: `j` and `k` go from one such line to the next. */
  readonly isStart: boolean;
}

function DrawnRow({ of, isStart, id, isSplit, onUnfold }: DrawnRowProps) {
  if ('folded' in of)
    return (
      <tr class="folded">
        <td colSpan={isSplit ? 4 : 2}>
          <button type="button" class="quiet" onClick={() => onUnfold(of.at)}>
            Show {of.folded.length} unchanged lines
          </button>
        </td>
      </tr>
    );
  const { left, right, shown } = of;
  if (left?.kind === 'note')
    return (
      <tr class="note">
        <td colSpan={isSplit ? 4 : 2}>{left.text}</td>
      </tr>
    );
  return (
    <tr>
      {(isSplit || shown === 'left') && <Side of={left} other={right} side="L" {...{ id, isStart }} />}
      {(isSplit || shown === 'right') && (
        <Side of={right} other={left} side="R" isStart={isStart && (left === null || !isSplit)} id={id} />
      )}
    </tr>
  );
}

interface SideProps {
  readonly of: Line | null;
  readonly other: Line | null;
  readonly id: string;
  readonly side: 'L' | 'R';
  readonly isStart: boolean;
}

function Side({ of, other, ...rest }: SideProps) {
  return (
    <>
      <LineNumber of={of} {...rest} />
      <LineText of={of} other={other} />
    </>
  );
}

const numberOf = ({ old, next }: Line, side: 'L' | 'R') => (side === 'L' ? old : next);

function LineNumber({ of, id, side, isStart }: Omit<SideProps, 'other'>) {
  if (of === null) return <td class="number blank" />;
  const number = numberOf(of, side);
  if (number === null) return <td class={`number ${of.kind}`} />;
  const name = `${id}${side}${number}`;
  return (
    <td class={`number ${of.kind}`} id={name}>
      <a
        href={`#${name}`}
        aria-label={`Link to line ${number}`}
        tabIndex={-1}
        data-row={isStart || undefined}
      >
        {number}
      </a>
    </td>
  );
}

const SIGNS = { added: '+', removed: '−', same: ' ', note: ' ' } as const;

function LineText({ of, other }: { readonly of: Line | null; readonly other: Line | null }) {
  if (of === null) return <td class="text blank" />;
  return (
    <td class={`text ${of.kind}`}>
      {of.kind !== 'same' && <span class="hidden">{of.kind}: </span>}
      <span class="sign" aria-hidden="true">
        {SIGNS[of.kind]}
      </span>
      <code>
        <Words of={of} other={other} />
      </code>
    </td>
  );
}

/** A line that the address names is drawn at once. */
const hasTarget = (rows: readonly Row[], id: string): boolean =>
  location.hash.startsWith(`#${id}`) &&
  rows.some(
    (row) =>
      'left' in row &&
      ((row.left && location.hash === `#${id}L${row.left.old}`) ||
        (row.right && location.hash === `#${id}R${row.right.next}`)),
  );
