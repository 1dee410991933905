import type { FlatEntry } from './flat-entry.ts';
import { refuse } from '../core/refusal.ts';
import { positionOf } from '../core/text.ts';

/**
 * Parses a `.env` text: `KEY=value` with an optional `export`, quotes (a quoted value may have several lines) and comments. These files
 * have no common grammar.
 * @throws EDIT_REFUSED where dotenv, Docker Compose and shells would disagree on more than the value
 */
export function parseDotenv(text: string): FlatEntry[] {
  const entries: FlatEntry[] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    const stop = lineStop(text, at);
    const line = text.slice(at, stop);
    const match = ENTRY.exec(line);
    if (match) {
      const entry = entryAt(text, at, match);
      entries.push(entry);
      at = nextLine(text, entry.end);
      continue;
    }
    // A name without `=` takes its value from the environment.
    if (!/^[ \t]*(?:#.*|(?:export[ \t]+)?(?:[\w.-]+[ \t]*)?)$/.test(line))
      refuse('syntax', `A line is neither KEY=value nor a comment (${positionOf(text, at)}).`);
    at = nextLine(text, stop);
  }
  return entries;
}

const ENTRY = /^([ \t]*(?:export[ \t]+)?)([\w.-]+)([ \t]*=[ \t]*)/;

function entryAt(text: string, start: number, match: RegExpExecArray): FlatEntry {
  const [all, lead = '', key = ''] = match;
  const keyStart = start + lead.length;
  const valueStart = start + all.length;
  const quote = text[valueStart];
  const place = { key, start, keyStart, keyEnd: keyStart + key.length, valueStart };
  if (quote === '"' || quote === "'" || quote === '`')
    return { ...place, ...quoted(text, valueStart, quote) };
  const end = lineStop(text, valueStart);
  const rest = text.slice(valueStart, end);
  const comment = rest.search(/(?:^|[ \t])#/);
  const value = (comment < 0 ? rest : rest.slice(0, comment)).trimEnd();
  return { ...place, value, valueEnd: valueStart + value.length, end };
}

function quoted(text: string, start: number, quote: string): Pick<FlatEntry, 'value' | 'valueEnd' | 'end'> {
  let close = start + 1;
  while (close < text.length && text[close] !== quote) {
    const isEscape = text[close] === '\\';
    if (isEscape && quote !== '"' && text[close + 1] === quote)
      refuse('syntax', `A backslash before a quote is ambiguous (${positionOf(text, close)}).`);
    close += isEscape && quote === '"' ? 2 : 1;
  }
  if (close >= text.length) refuse('syntax', `Unclosed quote (${positionOf(text, start)}).`);
  const end = lineStop(text, close);
  if (!/^[ \t]*(?:[ \t]#.*)?$/.test(text.slice(close + 1, end)))
    refuse('syntax', `Unexpected text after a quoted value (${positionOf(text, close + 1)}).`);
  const inner = text.slice(start + 1, close).replaceAll('\r\n', '\n');
  const value =
    quote === '"' ? inner.replace(/\\([nr"\\])/g, (_, char: string) => ESCAPES[char] ?? char) : inner;
  return { value, valueEnd: close + 1, end };
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r' };

/** End of the line at an offset, before its line break (LF or CRLF). A lone carriage return is refused: parsers disagree on it. */
function lineStop(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  const end = newline < 0 ? text.length : newline;
  const stop = newline > offset && text[newline - 1] === '\r' ? end - 1 : end;
  const alone = text.slice(offset, stop).indexOf('\r');
  if (alone >= 0)
    refuse(
      'syntax',
      `The file has a carriage return without a line feed (${positionOf(text, offset + alone)}).`,
    );
  return stop;
}

function nextLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline < 0 ? text.length : newline + 1;
}
