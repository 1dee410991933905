/** Tables of an incident: cards where there is little room, and no more rows at once than a telephone draws. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

export function Table({
  name,
  columns,
  children,
}: {
  readonly name: string;
  readonly columns: readonly string[];
  readonly children: ComponentChildren;
}) {
  return (
    <table class="history incident" role="table" aria-label={name}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column} scope="col" role="columnheader">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">{children}</tbody>
    </table>
  );
}

/** `names`: classes, by which cards lay them out. */
export function Cells({
  of,
  names,
}: {
  readonly of: readonly ComponentChildren[];
  readonly names: readonly string[];
}) {
  return (
    <>
      {of.map((cell, index) => (
        <td role="cell" key={names[index]} class={names[index]}>
          {cell}
        </td>
      ))}
    </>
  );
}

const FIRST = 100;

export function SomeRows<Row>({
  of,
  children,
}: {
  readonly of: readonly Row[];
  readonly children: (row: Row) => ComponentChildren;
}) {
  const [isAll, setAll] = useState(false);
  return (
    <>
      {(isAll ? of : of.slice(0, FIRST)).map(children)}
      {!isAll && of.length > FIRST && (
        <tr role="row">
          <td role="cell" colSpan={9}>
            <button type="button" onClick={() => setAll(true)}>
              Show all {of.length}
            </button>
          </td>
        </tr>
      )}
    </>
  );
}
