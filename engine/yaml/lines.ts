import type { Marker } from './secrets.ts';
import { isHarmlessValue, isSecretKey, MASK, maskTokens } from './secrets.ts';

/** A text of which line `index` is being masked, and what the lines before it say about it. */
interface State {
  readonly marker: Marker;
  /** Keys that are secret on this line although their names do not say so. */
  readonly isForced: (key: string, index: number) => boolean;
  /** Tells of a line whether the secret above it still goes on; null outside of one. */
  goesOn: ((line: string) => 'inside' | 'last' | 'outside') | null;
}

/** A secret value found in a line: from where, to where, under which key. */
interface Found {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

const SEPARATOR = /(?::=|=>|=|:(?!\/\/))[ \t]*/g;
const ENDS_KEY = new Set(' \t,;{}()<>&?|=:!');
const KEY_LIMIT = 600;
/** What may stand before a line's first key: blanks, list and comment signs, a word or two as in `export KEY=value`. */
const LINE_START = /^[\s#;"'`{[*-]*(?:\/\/\s*)?(?:\w{1,40}\s+){0,2}$/;
const FLAG = /(?<![\w-])--?([A-Za-z][\w.-]{1,80})["']?(?:,[ \t]*|[ \t]+)(?=[^\s=])/g;
const ELEMENT = /<([A-Za-z][\w.:-]{0,80})(?:\s[^<>]{0,500})?>(?=[^<])/g;
const NAME_OF_PAIR =
  /(?:^|[\s{,"'<-])(?:name|key|variable|parameter|env|id|path)["']?[ \t]{0,8}[:=][ \t]{0,8}["']?([\w.\-/]{1,200})/gi;
/** The name stands on the next line. */
const NAME_BELOW =
  /(?:^|[\s{,"'-])(?:name|key|variable|parameter)["']?[ \t]{0,8}:[ \t]{0,8}(?:[|>][-+\d]{0,2})?\s*$/i;
export const VALUE_OF_PAIR = /^(?:value|val|default\w*|content|literal|string|data)$/i;
const SECRET_KIND = /(?:^|[\s"'{,])kind["']?[ \t]*[:=][ \t]*["']?Secret\b/m;

/**
 * Masks a text of any format by what its lines look like: `KEY=value`, `key: value`, `"key": "value"`, `--key value`,
 * `<key>value</key>`, name/value pairs, everything that is indented below a secret key, and what `maskTokens` finds.
 * Masks to the end of the line where the end of a value is not certain. Takes time in proportion to the text's length.
 */
export function maskLines(text: string, marker: Marker = () => MASK): string {
  const lines = maskTokens(text, marker).split('\n');
  const pairs = secretPairs(lines);
  const secretKind = SECRET_KIND.test(text);
  const state: State = {
    marker,
    isForced: (key, index) =>
      (pairs.has(index) && VALUE_OF_PAIR.test(key)) || (secretKind && /^(?:data|stringData)$/.test(key)),
    goesOn: null,
  };
  return lines.map((line, index) => maskLine(line, index, state)).join('\n');
}

function maskLine(line: string, index: number, state: State): string {
  const ending = line.endsWith('\r') ? '\r' : '';
  const content = ending === '' ? line : line.slice(0, -1);
  const place = state.goesOn?.(content) ?? 'outside';
  if (place !== 'inside') state.goesOn = null;
  if (place === 'outside') return maskAssignments(content, index, state) + ending;
  const start = columnOf(content);
  const secret = content.slice(start).trimEnd();
  return secret === '' ? line : content.slice(0, start) + state.marker(secret) + ending;
}

function maskAssignments(line: string, index: number, state: State): string {
  let masked = '';
  let from = 0;
  for (
    let found = nextSecret(line, 0, index, state);
    found !== null;
    found = nextSecret(line, from, index, state)
  ) {
    const secret = line.slice(found.from, found.to);
    masked += line.slice(from, found.from) + state.marker(`${found.key}=${secret}`);
    from = found.to;
  }
  return masked + line.slice(from);
}

/** The next secret value in a line at or after `from`; notes in the state where it goes on below. */
function nextSecret(line: string, from: number, index: number, state: State): Found | null {
  const ways = [
    assigned(line, from, index, state),
    spaced(line, from, state),
    ...(from === 0 ? [worded(line)] : []),
  ];
  return ways.reduce(
    (first, found) => (found !== null && (first === null || found.from < first.from) ? found : first),
    null,
  );
}

function assigned(line: string, from: number, index: number, state: State): Found | null {
  SEPARATOR.lastIndex = from;
  for (let match = SEPARATOR.exec(line); match !== null; match = SEPARATOR.exec(line)) {
    const end = match.index + match[0].length;
    const { key, start, isQuoted } = keyBefore(line, match.index, from);
    if (key === '') continue;
    const before = line.slice(0, start);
    const isFirst = start < 200 && LINE_START.test(before);
    const isImage =
      match[0] === ':' && !isQuoted && !isFirst && !/^(?:$|\\?["'`])/.test(line.slice(end, end + 2));
    if (isImage || (match[0] === ':' && key.includes('/') && !isQuoted && end < line.length)) continue;
    if (!isSecretKey(key) && !state.isForced(key, index)) continue;
    state.goesOn =
      continuation({ rest: line.slice(end), before: isFirst ? before : null, isQuoted }) ?? state.goesOn;
    const to = end + lengthOfValue(line.slice(end));
    if (to > end && !isHarmlessValue(line.slice(end, to).replace(/[,;\s]+$/, '')))
      return { key, from: end, to };
  }
  return null;
}

/** The name that ends before a separator, without the quotes around it. */
function keyBefore(line: string, separator: number, from: number) {
  const lowest = Math.max(from, separator - KEY_LIMIT);
  let end = separator;
  while (end > lowest && /[ \t]/.test(line[end - 1] ?? '')) end -= 1;
  let start = end;
  while (start > lowest && !ENDS_KEY.has(line[start - 1] ?? '')) start -= 1;
  const name = line.slice(start, end);
  const spaced =
    /(?:api|private|access|secret|connection) $/i.exec(
      line.slice(Math.max(lowest, start - 12), start),
    )?.[0] ?? '';
  const key = (spaced + name).replace(/^["'`\\]+|["'`\\]+$/g, '');
  return { key, start: start - spaced.length, isQuoted: /["'`]$/.test(name) };
}

/** `--password value`, `["--password", "value"]`, `<password>value</password>`. */
function spaced(line: string, from: number, state: State): Found | null {
  if (
    /^[\s-]*["']?--?[A-Za-z][\w.-]*["']?,?\s*$/.test(line) &&
    isSecretKey(line.trim().replace(/["',\s]/g, ''))
  ) {
    state.goesOn = () => 'last';
    return null;
  }
  for (const pattern of [FLAG, ELEMENT]) {
    pattern.lastIndex = from;
    for (let match = pattern.exec(line); match !== null; match = pattern.exec(line)) {
      const key = match[1] ?? '';
      const start = match.index + match[0].length;
      if (isSecretKey(key)) return { key, from: start, to: line.trimEnd().length };
    }
  }
  return null;
}

/** `requirepass value` and the like, where a line is one key and one value; `… login jane password value`. */
function worded(line: string): Found | null {
  const match =
    /^([\s#;/]*([\w.-]{1,128})[ \t]+)[^\s:={]+\s*$/.exec(line) ??
    /^(.*\blogin\s.*\b(password)\s+)\S/.exec(line);
  const [, before = '', key = ''] = match ?? [];
  return key !== '' && isSecretKey(key) ? { key, from: before.length, to: line.trimEnd().length } : null;
}

/** How much of the text after a separator is the value: to the closing quote, or everything. */
function lengthOfValue(rest: string): number {
  const quote = /^\\?["'`]/.exec(rest)?.[0];
  const whole = rest.trimEnd().length;
  if (quote === undefined) return whole;
  const close = closingQuote(rest, quote, quote.length);
  if (close === -1) return whole;
  const end = close + quote.length;
  return /^(?:$|[\s,;}\])&|])/.test(rest.slice(end)) ? end : whole;
}

function closingQuote(text: string, quote: string, from: number): number {
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + quote.length)) {
    if (quote === '"' && isEscaped(text, at)) continue;
    if (quote !== "'" || text[at + 1] !== "'") return at;
    at += 1;
  }
  return -1;
}

function isEscaped(text: string, at: number): boolean {
  let count = 0;
  while (text[at - 1 - count] === '\\') count += 1;
  return count % 2 === 1;
}

/**
 * What follows a secret key's line and still belongs to its value. `before` is the line up to the key, null where the key is not
 * the line's first: then indentation says nothing.
 */
function continuation(at: { rest: string; before: string | null; isQuoted: boolean }): State['goesOn'] {
  const value = at.rest.trim();
  const quote = /^["'`]/.exec(value)?.[0];
  if (quote !== undefined && closingQuote(value, quote, 1) === -1)
    return (line) => (closingQuote(line, quote, 0) === -1 ? 'inside' : 'last');
  if (/^\\?["'`]/.test(value) && !value.endsWith('\\')) return null;
  const tag = /^<<[-~]?\s*["']?(\w+)/.exec(value)?.[1];
  if (tag !== undefined) return (line) => (line.trim() === tag ? 'last' : 'inside');
  if (value.endsWith('\\')) return (line) => (line.trimEnd().endsWith('\\') ? 'inside' : 'last');
  if (/^[{[]/.test(value) && openBrackets(value) > 0) return untilClosed(openBrackets(value));
  if (value === '' && at.isQuoted) return onNextLine(at.before);
  return at.before === null ? null : whileIndented(at.before.length, /^(?:|[|>&!#].*)$/.test(value));
}

/** The value of a quoted key, as in JSON, stands on the next line that is not blank, however that is indented, and goes on from there. */
function onNextLine(before: string | null): State['goesOn'] {
  const below = before === null ? () => 'outside' as const : whileIndented(before.length, true);
  let rest: State['goesOn'] | undefined;
  return (line) => {
    const place = below(line);
    if (rest === undefined) {
      if (line.trim() !== '') rest = continuation({ rest: line, before: null, isQuoted: false });
      return 'inside';
    }
    const own = rest?.(line) ?? 'outside';
    if (own !== 'inside') rest = null;
    return own === 'inside' || place === 'inside' ? 'inside' : own;
  };
}

function openBrackets(text: string): number {
  let open = 0;
  for (const character of text) open += '{['.includes(character) ? 1 : ']}'.includes(character) ? -1 : 0;
  return open;
}

function untilClosed(opened: number): State['goesOn'] {
  let open = opened;
  return (line) => {
    open += openBrackets(line);
    return open > 0 ? 'inside' : 'last';
  };
}

function whileIndented(column: number, mayBeList: boolean): NonNullable<State['goesOn']> {
  return (line) => {
    const start = columnOf(line);
    if (start >= line.length || start > column) return 'inside';
    return mayBeList && start === column && /^-(?:\s|$)/.test(line.slice(start)) ? 'inside' : 'outside';
  };
}

/** Where a line's text begins, behind blanks and the signs of a comment. */
function columnOf(line: string): number {
  return /^(?:[ \t]|[#;](?=[ \t#;]|$)|\/\/(?=\s))*/.exec(line)?.[0].length ?? 0;
}

/** Lines that may hold the value of a `name: DB_PASSWORD` beside them: those of the same item, at most five lines away. */
function secretPairs(lines: readonly string[]): ReadonlySet<number> {
  const found = new Set<number>();
  lines.forEach((line, index) => {
    const names = [...line.matchAll(NAME_OF_PAIR)].map((match) => match[1] ?? '');
    if (NAME_BELOW.test(line)) names.push((lines[index + 1] ?? '').replace(/["'\s]/g, ''));
    if (!names.some(isSecretKey)) return;
    found.add(index);
    for (let next = index + 1; next <= index + 5 && !/^\s*(?:- |[}\]])/.test(lines[next] ?? ''); next += 1)
      found.add(next);
    for (let last = index; last > index - 5 && !/^\s*(?:- |[{[])/.test(lines[last] ?? ''); last -= 1)
      found.add(last - 1);
  });
  return found;
}
