import { diffArrays } from 'diff';
import { isScalar, parse } from 'yaml';
import type { Located } from '../../core/located.ts';
import { refuse, WHOLE_STRING } from '../../core/refusal.ts';
import type { Splice } from '../../core/splice.ts';
import { eolOf, nextLine, positionOf } from '../../core/text.ts';

/**
 * Writes a new value of a string in its present form: a literal block (`|`) line by line, a quoted string of one line character by
 * character. Unchanged lines or characters stay as written. Refuses folded and plain strings, and quoted strings of several lines.
 */
export function writeString(located: Located, before: string, after: string): Splice {
  const { node, parsed, start } = located;
  const place = positionOf(parsed.text, start);
  if (parsed.format === 'dotenv' || parsed.format === 'properties')
    return refuseString(`A string in a .env or .properties file can only be edited as a whole (${place}).`);
  if (!isScalar(node)) return refuse('no-string', `The value is not a string (${place}).`);
  if (node.type === 'BLOCK_LITERAL') return writeLiteral(located, before, after);
  const [from = 0, to = 0] = node.range ?? [];
  const isQuoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE';
  if (isQuoted && !parsed.text.slice(from, to).includes('\n')) return writeQuoted(located, before, after);
  const name = node.type === 'BLOCK_FOLDED' ? 'folded (>)' : isQuoted ? 'quoted over several lines' : 'plain';
  return refuseString(`The string is ${name}; its lines cannot be edited one by one (${place}).`);
}

/** Maximum number of lines added and removed: the cost of a minimal diff is quadratic in it. */
const MAX_LINE_EDITS = 4000;

interface Line {
  readonly text: string;
  /** Its line break, '' at the end of the file. */
  readonly end: string;
}

function writeLiteral({ node, parsed, start }: Located, before: string, after: string): Splice {
  const { text } = parsed;
  const place = positionOf(text, start);
  const [from = 0, , behind = from] = (isScalar(node) && node.range) || [];
  const bodyStart = nextLine(text, from);
  const [old, next] = [contentOf(before), contentOf(after)];
  if (old.lines.length === 0 || next.lines.length === 0)
    return refuseString(`A string without lines cannot be edited (${place}).`);
  if (old.breaks !== next.breaks)
    return refuseString(`The trailing line breaks of the string cannot be changed (${place}).`);
  const raw = linesOf(text.slice(bodyStart, Math.max(bodyStart, behind))).slice(0, old.lines.length);
  const model = old.lines.findIndex((line) => line.trim() !== '');
  const indent = (raw[model]?.text ?? '').slice(0, -(old.lines[model] ?? '').length || undefined);
  const isLine = (line: string, index: number) =>
    raw[index]?.text === indent + line || (line === '' && raw[index]?.text.trim() === '');
  if (!/^ +$/.test(indent) || !old.lines.every(isLine))
    return refuseString(`The lines of the string are indented in an unusual way (${place}).`);
  const eol = eolOf(text);
  const made: Line[] = [];
  let at = 0;
  const changes = diffArrays(old.lines, next.lines, { maxEditLength: MAX_LINE_EDITS });
  if (!changes) return refuse('too-large', `Too many lines of the string change (${place}).`);
  for (const { added, removed, value } of changes) {
    if (added) made.push(...value.map((line) => ({ text: line === '' ? '' : indent + line, end: eol })));
    else if (!removed) made.push(...raw.slice(at, at + value.length));
    if (!added) at += value.length;
  }
  const last = raw.at(-1)?.end ?? '';
  const written = made.map((line, index) =>
    index === made.length - 1
      ? line.text + (last === '' ? '' : line.end || eol)
      : line.text + (line.end || eol),
  );
  const length = raw.reduce((sum, line) => sum + line.text.length + line.end.length, 0);
  return { start: bodyStart, end: bodyStart + length, text: written.join('') };
}

/** The lines up to the last one that is not empty, and the number of line breaks after it. */
function contentOf(text: string): { lines: string[]; breaks: number } {
  const content = text.replace(/\n*$/, '');
  return { lines: content === '' ? [] : content.split('\n'), breaks: text.length - content.length };
}

function linesOf(text: string): Line[] {
  return [...text.matchAll(/([^\n]*?)(\r?\n|$)/g)].map(([, line = '', end = '']) => ({ text: line, end }));
}

/** A character of a quoted string, and its source. */
interface QuotedUnit {
  readonly raw: string;
  readonly value: string;
}

function writeQuoted({ node, parsed, start }: Located, before: string, after: string): Splice {
  const [from = 0, to = 0] = (isScalar(node) && node.range) || [];
  const quote = parsed.text[from] === '"' ? '"' : "'";
  const place = positionOf(parsed.text, start);
  const units = unitsOf(parsed.text.slice(from + 1, to - 1), quote);
  if (units.map(({ value }) => value).join('') !== before)
    return refuseString(`The quoted string is written in an unusual way (${place}).`);
  let [head, headLength] = [0, 0];
  for (const { value } of units) {
    if (!after.startsWith(value, headLength)) break;
    head += 1;
    headLength += value.length;
  }
  let [tail, tailLength] = [units.length, 0];
  while (tail > head) {
    const value = units[tail - 1]?.value ?? '';
    const end = after.length - tailLength;
    if (end - value.length < headLength || !after.slice(0, end).endsWith(value)) break;
    tail -= 1;
    tailLength += value.length;
  }
  const middle = units.slice(head, tail);
  const plain = middle.map(({ value }) => value).join('');
  const raw = middle.map((unit) => unit.raw).join('');
  if (encode(plain, quote) !== raw)
    return refuseString(`The quoted string has escapes that could not be kept (${place}).`);
  const begin = from + 1 + units.slice(0, head).reduce((sum, unit) => sum + unit.raw.length, 0);
  const text = encode(after.slice(headLength, after.length - tailLength), quote);
  if (text === null) return refuseString(`The new string cannot be written in single quotes (${place}).`);
  return { start: begin, end: begin + raw.length, text };
}

function unitsOf(source: string, quote: string): QuotedUnit[] {
  if (quote === "'")
    return [...source.matchAll(/''|[^]/g)].map(([raw]) => ({ raw, value: raw === "''" ? "'" : raw }));
  const units = source.matchAll(/\\(?:x[\da-f]{2}|u[\da-f]{4}|U[\da-f]{8}|[^])|[^]/gi);
  return [...units].map(([raw]) => ({ raw, value: raw.startsWith('\\') ? String(parse(`"${raw}"`)) : raw }));
}

/** null if single quotes cannot represent the text. */
function encode(text: string, quote: string): string | null {
  if (quote === "'") return /[\p{Cc}\u2028\u2029\uFEFF]/u.test(text) ? null : text.replaceAll("'", "''");
  return text.replace(/["\\\p{Cc}\u2028\u2029\uFEFF]/gu, (char) => ESCAPES[char] ?? escaped(char));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

function refuseString(message: string): never {
  refuse('unsupported', message, WHOLE_STRING);
}
