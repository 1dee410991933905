/** Shortens a unified diff for display; every change stays visible or is counted. */
import { diffArrays } from 'diff';
import type { DiffBudget } from './line-diff.ts';
import { editsLeft, makeDiffBudget, spend } from './line-diff.ts';
import { wellFormed } from './shorten.ts';

const MAX_LINES = 2000;
const MAX_LINE_LENGTH = 500;
/** Maximum number of differing characters shown of one line. */
const MAX_DIFFERING = 4000;
/** First character of `\ No newline at end of file`, which may be between a removed and an added line. */
const NOTE = '\\';
/** Number of unchanged characters shown around a difference. */
const CONTEXT = 40;

/**
 * Shortens a unified diff to 2000 lines and says how many of the remaining lines change. A removed line over 500 characters and the
 * added line that replaces it are reduced to their differences, at most 500 characters each, with the number of characters left
 * out; other lines to their first 500 characters. `hint` says where the full diff is.
 */
export function shortenDiff(diff: string, hint: string): string {
  const lines = diff.split('\n');
  const shown = shortenLines(lines.slice(0, MAX_LINES), hint);
  const rest = lines.slice(MAX_LINES);
  if (rest.at(-1) === '') rest.pop();
  const changed = rest.filter((line) => /^[+-]/.test(line)).length;
  if (rest.length > 0) shown.push(`… ${rest.length} more lines, ${changed} of them changed (${hint})`, '');
  return shown.join('\n');
}

function shortenLines(lines: readonly string[], hint: string): string[] {
  const effort = makeDiffBudget();
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
    shown.push(line.length > MAX_LINE_LENGTH ? `${wellFormed(line.slice(0, MAX_LINE_LENGTH))}…` : line);
    at += 1;
  }
  return shown;
}

/** The consecutive lines from `at` that start with `sign`. */
function runOf(lines: readonly string[], at: number, sign: string): string[] {
  const end = lines.findIndex((line, index) => index >= at && !line.startsWith(sign));
  return lines.slice(at, end < 0 ? lines.length : end);
}

interface ShortenContext {
  readonly effort: DiffBudget;
  readonly hint: string;
}

function shortenPair(old: string, now: string | undefined, context: ShortenContext): [string, string?] {
  if (now === undefined) return [firstOf(old, context.hint)];
  if (old.length <= MAX_LINE_LENGTH && now.length <= MAX_LINE_LENGTH) return [old, now];
  const parts = partsOf(old.slice(1), now.slice(1), context.effort);
  return [`-${side(parts, 'old', context.hint)}`, `+${side(parts, 'now', context.hint)}`];
}

function firstOf(line: string, hint: string): string {
  if (line.length <= MAX_LINE_LENGTH) return line;
  return `${wellFormed(line.slice(0, MAX_LINE_LENGTH))}… (${line.length - MAX_LINE_LENGTH} more characters; ${hint})`;
}

/** Text that both sides share, or the differing texts. */
type Part = { readonly same: string } | { readonly same: null; readonly old: string; readonly now: string };

/** Compares by characters; by words if too many characters differ; else everything between the common prefix and suffix differs. */
function partsOf(old: string, now: string, effort: DiffBudget): Part[] {
  const shorter = Math.min(old.length, now.length);
  let head = 0;
  while (head < shorter && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  if (isSurrogate(old.charCodeAt(head - 1), 0xd8)) head -= 1;
  if (isSurrogate(old.charCodeAt(old.length - tail), 0xdc)) tail -= 1;
  const [before, after] = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)];
  const middle = compare(before, after, { pattern: /[^]/gu, effort }) ??
    compare(before, after, { pattern: /\s+|[\p{L}\p{N}]+|[^]/gu, effort }) ?? [
      { same: null, old: before, now: after },
    ];
  return join([{ same: old.slice(0, head) }, ...middle, { same: old.slice(old.length - tail) }]);
}

/** Whether a UTF-16 unit is a high (`from` 0xd8) or low (0xdc) surrogate. */
const isSurrogate = (unit: number, from: number) => unit >> 8 >= from && unit >> 8 < from + 4;

function compare(
  old: string,
  now: string,
  { pattern, effort }: { pattern: RegExp; effort: DiffBudget },
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

/** Merges adjacent differences, including short common text between them. */
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
      if (since.length > 2 * CONTEXT || old + now === '') close();
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
  let [text, room, hidden] = ['', MAX_DIFFERING, 0];
  for (const [index, part] of parts.entries()) {
    if (part.same !== null) {
      text += around(part.same, { first: index === 0, last: index === parts.length - 1 });
      continue;
    }
    const shown = Math.min(part[which].length, MAX_LINE_LENGTH, room);
    text += wellFormed(part[which].slice(0, shown)) + (shown < part[which].length ? '…' : '');
    room -= shown;
    hidden += part[which].length - shown;
  }
  return hidden === 0 ? text : `${text} (${hidden} more characters differ; ${hint})`;
}

function around(same: string, { first, last }: { first: boolean; last: boolean }): string {
  const [before, after] = [first ? 0 : CONTEXT, last ? 0 : CONTEXT];
  if (same.length <= before + after + 1) return same;
  const end = after === 0 ? '' : same.slice(-after);
  return `${wellFormed(same.slice(0, before))}…${wellFormed(end)}`;
}
