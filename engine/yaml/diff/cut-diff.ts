/** A unified difference cut to what people read, without hiding that something changes. */
import { diffArrays } from 'diff';
import type { Effort } from './line-diff.ts';
import { editsLeft, makeEffort, spend } from './line-diff.ts';
import { wellFormed } from './shorten.ts';

const LINES_SHOWN = 2000;
const LINE_SHOWN = 500;
/** Characters of all that differs in one line. */
const CHANGES_SHOWN = 4000;
/** Begins the note that a side has no line end at its end; it can stand between a removed line and the added one. */
const NOTE = '\\';
/** Characters around what differs. */
const AROUND = 40;

/**
 * The first 2000 lines, and how many of the others change. Of a removed line over 500 characters and the added one that stands for it,
 * what differs, at most 500 characters of each place, and how many more; of other lines the first 500 characters.
 * `hint` says where all of it can be seen.
 */
export function cutDiff(diff: string, hint: string): string {
  const lines = diff.split('\n');
  const shown = shortenLines(lines.slice(0, LINES_SHOWN), hint);
  const rest = lines.slice(LINES_SHOWN);
  if (rest.at(-1) === '') rest.pop();
  const changed = rest.filter((line) => /^[+-]/.test(line)).length;
  if (rest.length > 0) shown.push(`… ${rest.length} more lines, ${changed} of them changed (${hint})`, '');
  return shown.join('\n');
}

function shortenLines(lines: readonly string[], hint: string): string[] {
  const effort = makeEffort();
  const shown: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const removed = runOf(lines, at, '-');
    const note = runOf(lines, at + removed.length, NOTE);
    const added = runOf(lines, at + removed.length + note.length, '+');
    const pairs = removed.map((line, index) => shortenPair(line, added[index], { effort, hint }));
    shown.push(...pairs.map(([line]) => line), ...note);
    shown.push(...added.map((line, index) => pairs[index]?.[1] ?? firstOf(line, hint)));
    const taken = removed.length + note.length + added.length;
    at += taken;
    if (taken > 0) continue;
    const line = lines[at] ?? '';
    shown.push(line.length > LINE_SHOWN ? `${wellFormed(line.slice(0, LINE_SHOWN))}…` : line);
    at += 1;
  }
  return shown;
}

/** The lines from `at` on that begin with a sign. */
function runOf(lines: readonly string[], at: number, sign: string): string[] {
  const end = lines.findIndex((line, index) => index >= at && !line.startsWith(sign));
  return lines.slice(at, end < 0 ? lines.length : end);
}

interface Cutting {
  readonly effort: Effort;
  readonly hint: string;
}

function shortenPair(old: string, now: string | undefined, cutting: Cutting): [string, string?] {
  if (now === undefined) return [firstOf(old, cutting.hint)];
  if (old.length <= LINE_SHOWN && now.length <= LINE_SHOWN) return [old, now];
  const parts = partsOf(old.slice(1), now.slice(1), cutting.effort);
  return [`-${side(parts, 'old', cutting.hint)}`, `+${side(parts, 'now', cutting.hint)}`];
}

function firstOf(line: string, hint: string): string {
  if (line.length <= LINE_SHOWN) return line;
  return `${wellFormed(line.slice(0, LINE_SHOWN))}… (${line.length - LINE_SHOWN} more characters; ${hint})`;
}

/** What both sides share, or what stands on either in its place. */
type Part = { readonly same: string } | { readonly same: null; readonly old: string; readonly now: string };

/** By characters; where too many differ by words; where those do too, all between the common beginning and the common end. */
function partsOf(old: string, now: string, effort: Effort): Part[] {
  const shorter = Math.min(old.length, now.length);
  let head = 0;
  while (head < shorter && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  if (isHalf(old.charCodeAt(head - 1), 0xd8)) head -= 1;
  if (isHalf(old.charCodeAt(old.length - tail), 0xdc)) tail -= 1;
  const [before, after] = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)];
  const middle = compare(before, after, { pattern: /[^]/gu, effort }) ??
    compare(before, after, { pattern: /\s+|[\p{L}\p{N}]+|[^]/gu, effort }) ?? [
      { same: null, old: before, now: after },
    ];
  return join([{ same: old.slice(0, head) }, ...middle, { same: old.slice(old.length - tail) }]);
}

/** Half of a character: the first halves begin with 0xd8 to 0xdb, the second ones with 0xdc to 0xdf. */
const isHalf = (unit: number, from: number) => unit >> 8 >= from && unit >> 8 < from + 4;

function compare(
  old: string,
  now: string,
  { pattern, effort }: { pattern: RegExp; effort: Effort },
): Part[] | null {
  const limit = Math.floor(editsLeft(effort) / 2);
  const found = diffArrays(old.match(pattern) ?? [], now.match(pattern) ?? [], { maxEditLength: limit });
  const edits = found?.reduce((sum, { added, removed, count }) => sum + (added || removed ? count : 0), 0);
  spend(effort, edits ?? limit);
  return (
    found?.map(({ added, removed, value }): Part => {
      const text = value.join('');
      return added || removed
        ? { same: null, old: removed ? text : '', now: added ? text : '' }
        : { same: text };
    }) ?? null
  );
}

/** Neighbours that differ become one part, with what little they share between them. */
function join(parts: readonly Part[]): Part[] {
  const joined: Part[] = [];
  let [old, now, since] = ['', '', ''];
  const close = () => {
    if (old + now !== '') joined.push({ same: null, old, now });
    if (since !== '') joined.push({ same: since });
    [old, now, since] = ['', '', ''];
  };
  for (const part of parts) {
    if (part.same !== null) {
      since += part.same;
      if (since.length > 2 * AROUND || old + now === '') close();
    } else {
      old += since + part.old;
      now += since + part.now;
      since = '';
    }
  }
  close();
  return joined;
}

function side(parts: readonly Part[], which: 'old' | 'now', hint: string): string {
  let [text, room, hidden] = ['', CHANGES_SHOWN, 0];
  for (const [index, part] of parts.entries()) {
    if (part.same !== null) {
      text += around(part.same, { first: index === 0, last: index === parts.length - 1 });
      continue;
    }
    const shown = Math.min(part[which].length, LINE_SHOWN, room);
    text += wellFormed(part[which].slice(0, shown)) + (shown < part[which].length ? '…' : '');
    room -= shown;
    hidden += part[which].length - shown;
  }
  return hidden === 0 ? text : `${text} (${hidden} more characters differ; ${hint})`;
}

function around(same: string, { first, last }: { first: boolean; last: boolean }): string {
  const [before, after] = [first ? 0 : AROUND, last ? 0 : AROUND];
  if (same.length <= before + after + 1) return same;
  const end = after === 0 ? '' : same.slice(-after);
  return `${wellFormed(same.slice(0, before))}…${wellFormed(end)}`;
}
