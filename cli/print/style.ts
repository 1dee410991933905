/** Colours, where the terminal has them, and tables. */
import { styleText } from 'node:util';
import { clean } from '../output.ts';

type Styles = Parameters<typeof styleText>[0];

export interface Style {
  /** Show each part of files that came or went as a whole? */
  readonly full: boolean;
  /** Cleans text that came from a repository and colours it. */
  paint(styles: Styles, text: string): string;
}

export function makeStyle(color: boolean, full = false): Style {
  return { full, paint: (styles, text) => (color ? styleText(styles, clean(text)) : clean(text)) };
}

/** Columns as wide as their widest cell; the last one is not filled up. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => visible(row[column] ?? ''))),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, column) =>
      column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - visible(cell)),
    );
  return rows.map((row) => line(row).join('  ').trimEnd()).join('\n');
}

// oxlint-disable-next-line no-control-regex -- the escape character begins a colour
const visible = (text: string) => Array.from(text.replace(/\u001b\[[\d;]*m/g, '')).length;

export const short = (id: string) => id.slice(0, 7);

/** `v12 (3f2c9ab)` */
export function revisionName({ commit, version }: { commit: string; version: number | null }): string {
  return version === null ? short(commit) : `v${version} (${short(commit)})`;
}

export const minute = (time: string) => `${time.slice(0, 10)} ${time.slice(11, 16)}`;

export const cut = (text: string, limit: number) => (text.length > limit ? `${text.slice(0, limit)}…` : text);
