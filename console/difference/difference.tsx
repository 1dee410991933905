/**
 * Differences of files, as text nodes alone: one below the other or side by side, with the words marked that differ. Far lines are drawn when
 * they come near.
 */
import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { FileDifference } from '../contract.ts';
import { Badge } from '../parts/badge.tsx';
import { Chunk } from './chunk.tsx';
import { blocksOf, type Block, type Row, rowsOf } from './lines.ts';
import { useView } from './view.tsx';

export interface DifferenceProps {
  readonly files: readonly FileDifference[];
  /** What stands in front of a field: a box to tick. */
  readonly beforeField?: ((file: FileDifference, selector: string) => ComponentChildren) | undefined;
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
        <p class="block-title" id={id}>
          {children}
          <a href={`#${id}`}>
            <code class="path">{of.title}</code>
          </a>
        </p>
      )}
      {chunks.map((chunk, index) => (
        <Chunk
          key={index}
          title={index === 0 ? of.title || 'Lines' : ''}
          rows={chunk}
          id={id}
          isSplit={isSplit}
          onUnfold={(at) => setOpen(new Set([...open, at]))}
        />
      ))}
    </>
  );
}

const CHUNK = 40;

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
