/** A difference, as the engine gives it, in lines that can be drawn. It is masked already. */
import type { FieldChange, FileDifference } from '../contract.ts';
import { hashOf } from '../parts/hash.ts';

export interface Line {
  /** `title`: of a field, or where a hunk is. `folded`: in place of lines that are the same. */
  readonly kind: 'same' | 'added' | 'removed' | 'note' | 'title' | 'folded';
  readonly text: string;
  /** Numbers of the line on both sides, where it is there. */
  readonly old?: number | undefined;
  readonly next?: number | undefined;
  /** By which addresses name it, however it is shown. */
  readonly id: string;
  /** `path#selector`, of the field whose title it is. */
  readonly field?: string;
  /** Of lines that belong together. */
  readonly isFirst?: boolean;
}

export function linesOf({ path, fields = [], diff = '' }: FileDifference): readonly Line[] {
  const id = `l${hashOf(path)}`;
  const titled = fields.flatMap((field, index) => linesOfField(field, path, `${id}-f${index}`));
  return [...titled, ...parsed(diff, id)];
}

function linesOfField(field: FieldChange, path: string, id: string): readonly Line[] {
  const { selector, before, after, diff } = field;
  const sides = [...signed('-', before), ...signed('+', after)];
  const lines = parsed(diff ?? `@@ -1 +1 @@\n${sides.join('\n')}`, id).filter(({ kind }) => kind !== 'title');
  // The name of the field is enough for one.
  const isShort = diff === undefined && sides.length <= 2;
  const numbered = isShort ? lines.map((line) => ({ kind: line.kind, text: line.text, id })) : lines;
  return [{ kind: 'title', text: selector, field: `${path}#${selector}`, id }, ...numbered];
}

const signed = (sign: string, text?: string) =>
  text === undefined ? [] : split(text).map((line) => sign + line);
const split = (text: string) => text.replace(/\n$/, '').split(/\r?\n/);

const KINDS: { readonly [sign: string]: Line['kind'] } = { '+': 'added', '-': 'removed', ' ': 'same' };

/** Unified hunks. In front of them are names of the file, which stand above it, and notes. */
function parsed(diff: string, id: string): readonly Line[] {
  let [old, next, isInside] = [0, 0, false];
  return split(diff).flatMap((line): readonly Line[] => {
    const header = /^@@ -(\d+)\S* \+(\d+)/.exec(line);
    if (header !== null) {
      [old, next, isInside] = [Number(header[1]), Number(header[2]), true];
      const first = next || old;
      return [{ kind: 'title', text: `From line ${first}`, id: `${id}-${first}` }];
    }
    if (!isInside && /^((---|\+\+\+) |$)/.test(line)) return [];
    const kind = (isInside && KINDS[line[0] ?? ' ']) || 'note';
    const text = kind === 'note' ? line.replace(/^\\ /, '') : line.slice(1);
    const isOld = kind === 'same' || kind === 'removed';
    const isNext = kind === 'same' || kind === 'added';
    const name = isNext ? `${id}R${next}` : `${id}L${old}`;
    return [{ kind, text, id: name, old: isOld ? old++ : undefined, next: isNext ? next++ : undefined }];
  });
}

/** One line, or two side by side; each with the one that it is beside, or in place of. */
export type Row = readonly (readonly [line: Line | undefined, other?: Line | undefined])[];

/** Lines that are the same, and stay on each side of a fold. */
const SHOWN = 3;

/** `isOpen`: whether lines that are the same are all shown. */
export const rowsOf = (
  lines: readonly Line[],
  isSplit: boolean,
  isOpen: (same: readonly Line[]) => boolean,
) =>
  stretchesOf(lines).flatMap((stretch): readonly Row[] => {
    const { kind } = stretch[0];
    if (kind === 'removed' || kind === 'added') return changed(stretch, isSplit);
    const isTwice = isSplit && kind === 'same';
    const rows = stretch.map((line): Row => (isTwice ? [[{ ...line, next: undefined }], [line]] : [[line]]));
    if (kind !== 'same' || rows.length <= SHOWN * 2 + 2 || isOpen(stretch)) return rows;
    const text = `Show ${rows.length - SHOWN * 2} unchanged lines`;
    return [...rows.slice(0, SHOWN), [[{ ...stretch[0], kind: 'folded', text }]], ...rows.slice(-SHOWN)];
  });

/** Lines that belong together: of one kind, or removed ones with the added ones behind them. */
function stretchesOf(lines: readonly Line[]) {
  const stretches: [Line, ...Line[]][] = [];
  for (const line of lines) {
    const last = stretches.at(-1);
    const before = last?.at(-1)?.kind;
    if (before === line.kind || (before === 'removed' && line.kind === 'added')) last?.push(line);
    else stretches.push([{ ...line, isFirst: true }]);
  }
  return stretches;
}

/** What was removed beside what came in its place, or all of it above all that was added. */
function changed(lines: readonly Line[], isSplit: boolean): readonly Row[] {
  const [removed, added] = [ofKind(lines, 'removed'), ofKind(lines, 'added')];
  const longer = removed.length > added.length ? removed : added;
  const left = longer.map((_, at): Row[number] => [removed[at], added[at]]);
  const right = longer.map((_, at): Row[number] => [added[at], removed[at]]);
  if (isSplit) return left.map((cell, at) => [cell, right[at] ?? cell]);
  return [...left, ...right].filter(([line]) => line !== undefined).map((cell) => [cell]);
}

export const ofKind = (lines: readonly Line[], kind: Line['kind']) =>
  lines.filter((line) => line.kind === kind);
