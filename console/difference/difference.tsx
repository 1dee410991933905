/**
 * Differences of files, as text nodes alone: one below the other or side by side, with the words marked that differ. Far lines are drawn when
 * they come near.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { FileDifference } from '../contract.ts';
import { Badge } from '../parts/badge.tsx';
import { useNear } from '../parts/near.ts';
import { blocksOf, type Block, type Line, type Row, rowsOf } from './lines.ts';
import { useView, ViewChoice } from './view.tsx';
import { Words } from './words.tsx';

export interface DifferenceProps {
  readonly files: readonly FileDifference[];
  /** What stands in front of a field: a box to tick. */
  readonly beforeField?: ((file: FileDifference, selector: string) => ComponentChildren) | undefined;
}

export function Difference({ files, beforeField }: DifferenceProps) {
  if (files.length === 0) return null;
  return (
    <div class="difference">
      <ViewChoice />
      {files.map((file) => (
        <File key={file.path} of={file} beforeField={beforeField} />
      ))}
    </div>
  );
}

function File({ of, beforeField }: { readonly of: FileDifference } & Pick<DifferenceProps, 'beforeField'>) {
  const blocks = useMemo(() => blocksOf(of), [of]);
  const [added, removed] = (['added', 'removed'] as const).map((kind) =>
    blocks.reduce((sum, { lines }) => sum + lines.filter((line) => line.kind === kind).length, 0),
  );
  return (
    <details class="file" open>
      <summary>
        <code class="path">{of.path}</code> {of.change !== 'modified' && <Badge state={of.change} />}
        <span class="faint">
          <span class="hidden">{`${added} lines added, ${removed} removed`}</span>
          <span aria-hidden="true">{`+${added} −${removed}`}</span>
        </span>
      </summary>
      {blocks.map((block, index) => (
        <BlockTable key={index} of={block} id={`${digestOf(of.path)}-${index}`}>
          {block.selector !== null && beforeField?.(of, block.selector)}
        </BlockTable>
      ))}
      {blocks.length === 0 && <p class="empty">Nothing of it can be shown.</p>}
    </details>
  );
}

function BlockTable({
  of,
  id,
  children,
}: {
  readonly of: Block;
  readonly id: string;
  readonly children: ComponentChildren;
}) {
  const view = useView();
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const isSplit = view === 'split';
  const chunks = useMemo(
    () => chunksOf(rowsOf(of.lines, { isSplit, isOpen: (at) => open.has(at) })),
    [of, open, isSplit],
  );
  return (
    <>
      {of.title !== '' && (
        <p class="block-title">
          {children}
          <code class="path">{of.title}</code>
        </p>
      )}
      <table class={`lines ${view}`}>
        <caption class="hidden">{of.title || 'Lines'}</caption>
        <colgroup>
          {(isSplit ? [0, 1] : [0]).flatMap((side) => [
            <col key={`n${side}`} class="numbers" />,
            <col key={side} />,
          ])}
        </colgroup>
        {chunks.map((chunk, index) => (
          <Chunk
            key={index}
            rows={chunk}
            id={id}
            isSplit={isSplit}
            isFirst={index === 0}
            onUnfold={(at) => setOpen(new Set([...open, at]))}
          />
        ))}
      </table>
    </>
  );
}

const CHUNK = 60;
/** Pixels: about as high as a line is, until it is drawn. */
const LINE_HEIGHT = 22;

interface ChunkProps {
  readonly rows: readonly Row[];
  readonly id: string;
  readonly isSplit: boolean;
  readonly isFirst: boolean;
  readonly onUnfold: (at: number) => void;
}

function Chunk({ rows, id, isSplit, isFirst, onUnfold }: ChunkProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const isNear = useNear(body, { isFirst });
  const wasNear = useRef(isFirst || hasTarget(rows, id));
  if (isNear) wasNear.current = true;
  useEffect(() => {
    if (hasTarget(rows, id))
      document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: 'center' });
  }, []);
  return (
    <tbody ref={body}>
      {wasNear.current ? (
        rows.map((row, index) => <DrawnRow key={index} of={row} {...{ id, isSplit, onUnfold }} />)
      ) : (
        <tr style={{ height: `${rows.length * LINE_HEIGHT}px` }}>
          <td colSpan={isSplit ? 4 : 2} />
        </tr>
      )}
    </tbody>
  );
}

type DrawnRowProps = Pick<ChunkProps, 'id' | 'isSplit' | 'onUnfold'> & { readonly of: Row };

function DrawnRow({ of, id, isSplit, onUnfold }: DrawnRowProps) {
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
      {(isSplit || shown === 'left') && <Side of={left} other={right} id={id} side="L" />}
      {(isSplit || shown === 'right') && <Side of={right} other={left} id={id} side="R" />}
    </tr>
  );
}

interface SideProps {
  readonly of: Line | null;
  readonly other: Line | null;
  readonly id: string;
  readonly side: 'L' | 'R';
}

function Side({ of, other, id, side }: SideProps) {
  return (
    <>
      <LineNumber of={of} id={id} side={side} />
      <LineText of={of} other={other} />
    </>
  );
}

const numberOf = ({ old, next }: Line, side: 'L' | 'R') => (side === 'L' ? old : next);

function LineNumber({
  of,
  id,
  side,
}: {
  readonly of: Line | null;
  readonly id: string;
  readonly side: 'L' | 'R';
}) {
  if (of === null) return <td class="number blank" />;
  const number = numberOf(of, side);
  const name = `${id}${side}${number}`;
  return (
    <td class={`number ${of.kind}`} id={name}>
      <a href={`#${name}`} aria-label={`Link to line ${number}`}>
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

const chunksOf = (rows: readonly Row[]): readonly (readonly Row[])[] =>
  Array.from({ length: Math.ceil(rows.length / CHUNK) }, (_, index) =>
    rows.slice(index * CHUNK, (index + 1) * CHUNK),
  );

/** Short, the same each time, and good enough to tell the files of one page apart (FNV-1a). */
function digestOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return `l${(hash >>> 0).toString(36)}`;
}
