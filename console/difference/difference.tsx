/** Differences of files, as text nodes alone: one below the other or side by side, with the words marked that differ. */
import { diffWordsWithSpace } from 'diff';
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { FileDifference } from '../contract.ts';
import { Badge } from '../parts/badge.tsx';
import { useNear } from '../parts/near.ts';
import { type Line, linesOf, ofKind, type Row, rowsOf } from './lines.ts';
import { useView } from './view.tsx';

interface DifferenceProps {
  readonly files: readonly FileDifference[];
  /** What stands in front of a field, `path#selector`: a box to tick. */
  readonly beforeField?: ((field: string) => ComponentChildren) | undefined;
}

export function Difference({ files, beforeField }: DifferenceProps) {
  if (files.length === 0) return null;
  return (
    <div class="difference">
      {files.map((file) => (
        <File key={file.path} of={file} beforeField={beforeField} />
      ))}
    </div>
  );
}

/** Rows that are drawn together, and pixels: about as high as one is, until it is drawn. */
const [CHUNK, HEIGHT] = [40, 24];

function File({ of, beforeField }: { readonly of: FileDifference } & Pick<DifferenceProps, 'beforeField'>) {
  const isSplit = useView() === 'split';
  const [open, setOpen] = useState<readonly string[]>([]);
  const lines = useMemo(() => linesOf(of), [of]);
  const rows = useMemo(
    () => rowsOf(lines, isSplit, (same) => same.some((line) => open.includes(line.id) || isTarget(line))),
    [lines, open, isSplit],
  );
  return (
    <details class="file" open>
      <summary>
        <code class="path">{of.path}</code> {of.change !== 'modified' && <Badge state={of.change} />}
        <span class="faint">
          {ofKind(lines, 'added').length} added, {ofKind(lines, 'removed').length} removed
        </span>
      </summary>
      {Array.from({ length: Math.ceil(rows.length / CHUNK) }, (_, at) => (
        <Chunk
          key={at}
          rows={rows.slice(at * CHUNK, (at + 1) * CHUNK)}
          beforeField={beforeField}
          onUnfold={(id) => setOpen([...open, id])}
        />
      ))}
      {lines.length === 0 && <p class="empty">Nothing of it can be shown.</p>}
    </details>
  );
}

/** The address names it. */
const isTarget = (line: Line | undefined): boolean => location.hash === `#${line?.id}`;

interface Actions extends Pick<DifferenceProps, 'beforeField'> {
  readonly onUnfold: (id: string) => void;
}

/** Drawn when it comes near the screen, and kept from then on. */
function Chunk({ rows, ...actions }: Actions & { readonly rows: readonly Row[] }) {
  const box = useRef<HTMLDivElement>(null);
  const isDrawn = useRef(false);
  const hasTarget = rows.some((row) => row.some(([line]) => isTarget(line)));
  isDrawn.current = useNear(box) || hasTarget || isDrawn.current;
  useEffect(() => {
    if (!hasTarget) return;
    // It was not there when the browser looked for it: only then it is marked.
    location.replace(location.hash);
    document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: 'center' });
  }, []);
  if (!isDrawn.current) return <div ref={box} style={{ height: `${rows.length * HEIGHT}px` }} />;
  return (
    <div ref={box} class="lines">
      {rows.map((row, index) => (
        <DrawnRow key={index} of={row} {...actions} />
      ))}
    </div>
  );
}

function DrawnRow({ of, beforeField, onUnfold }: Actions & { readonly of: Row }) {
  const { kind, id = '', text, field } = of[0]?.[0] ?? {};
  if (kind === 'note') return <p class="note">{text}</p>;
  if (kind === 'folded')
    return (
      <button type="button" class="quiet folded" onClick={() => onUnfold(id)}>
        {text}
      </button>
    );
  if (kind === 'title')
    return (
      <p class="block-title" id={id}>
        {field !== undefined && beforeField?.(field)}
        <a href={`#${id}`}>
          <code class="path">{text}</code>
        </a>
      </p>
    );
  return (
    <div class={of.length === 1 ? 'line' : 'line split'}>
      {of.map((cell, index) => (
        <Side key={index} of={cell} />
      ))}
    </div>
  );
}

function Side({ of: [of, other] }: { readonly of: Row[number] }) {
  if (of === undefined) return <span class="blank" />;
  const { kind, old, next, id, isFirst } = of;
  const number = next ?? old;
  // Side by side, one that is the same is there twice.
  const isCopy = kind === 'same' && next === undefined;
  // `j` and `k` go from one change to the next.
  const isStart = kind !== 'same' && isFirst;
  return (
    <>
      <span class={`number ${kind}`} id={number === undefined || isCopy ? undefined : id}>
        {number !== undefined && (
          <a
            href={`#${id}`}
            aria-label={`Link to line ${number}`}
            tabIndex={-1}
            data-row={isStart || undefined}
          >
            {number}
          </a>
        )}
      </span>
      <code class={`text ${kind}`}>
        {kind !== 'same' && <span class="hidden">{kind}: </span>}
        {marked(of.text, other?.text)}
      </code>
    </>
  );
}

/** Characters: marking the words of longer lines takes longer than it helps. */
const LONGEST = 1500;

/** A line with the words marked that the other does not have: by a line below them, not by colour alone. */
function marked(text: string, other?: string): ComponentChildren {
  if (other === undefined || text.length + other.length > LONGEST) return text;
  const parts = diffWordsWithSpace(other, text).filter(({ removed }) => !removed);
  // Where hardly anything is the same, marks say nothing.
  if (!parts.some(({ added, value }) => !added && value.trim() !== '')) return text;
  return parts.map(({ added, value }, index) => (added ? <mark key={index}>{value}</mark> : value));
}
