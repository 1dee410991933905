/** Classifies the lines after the start of a secret; called for each line once, in order. */
export type Continuation = (line: string) => 'inside' | 'last' | 'outside';

/**
 * The continuation of a secret value over the lines after its key. `before` is the line up to the key, null if the key is not the
 * first on its line: then indentation is not significant.
 */
export function continuation(at: {
  rest: string;
  before: string | null;
  isQuoted: boolean;
}): Continuation | null {
  const value = at.rest.trim();
  const quote = /^["'`]/.exec(value)?.[0];
  const fence = openFence(value);
  if (fence !== null) return (line) => (line.includes(fence) ? 'last' : 'inside');
  if (quote !== undefined && closingQuote(value, quote, 1) === -1)
    return (line) => (closingQuote(line, quote, 0) === -1 ? 'inside' : 'last');
  if (/^\\?["'`]/.test(value) && !value.endsWith('\\')) return null;
  // A text of Jsonnet; in YAML it would be an error.
  if (value.startsWith('|||')) return (line) => (line.trim().startsWith('|||') ? 'last' : 'inside');
  const tag = /^<<[-~]?\s*["']?(\w+)/.exec(value)?.[1];
  if (tag !== undefined) return (line) => (line.trim() === tag ? 'last' : 'inside');
  if (value.endsWith('\\')) return (line) => (line.trimEnd().endsWith('\\') ? 'inside' : 'last');
  if (/^[{[]/.test(value) && openBrackets(value) > 0) return untilClosed(openBrackets(value));
  if (value === '' && at.isQuoted) return onNextLine(at.before);
  return at.before === null ? null : whileIndented(at.before.length, /^(?:|[|>&!#].*)$/.test(value));
}

/** The text of an element of XML that begins on a line before; one with elements in it has its own names. */
export const untilElementEnds: Continuation = (line) => {
  if (/^\s*<(?!!\[CDATA\[)/.test(line)) return 'outside';
  return line.includes('</') ? 'last' : 'inside';
};

/** The triple quotes that open a multi-line string, as in TOML; null if there are none. In YAML `'''a'` is a quote and an a. */
function openFence(value: string): string | null {
  const fence = /^(?:"""|''')/.exec(value)?.[0];
  if (fence === undefined || value.includes(fence, fence.length)) return null;
  return fence === "'''" && closingQuote(value, "'", 1) !== -1 && value !== fence ? null : fence;
}

/** The value of a quoted key, as in JSON, is on the next line that is not blank, whatever its indentation, and may continue from there. */
function onNextLine(before: string | null): Continuation | null {
  const below = before === null ? () => 'outside' as const : whileIndented(before.length, true);
  let rest: Continuation | null | undefined;
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

function untilClosed(opened: number): Continuation | null {
  let open = opened;
  return (line) => {
    open += openBrackets(line);
    return open > 0 ? 'inside' : 'last';
  };
}

function whileIndented(column: number, mayBeList: boolean): Continuation {
  return (line) => {
    const start = columnOf(line);
    if (start >= line.length || start > column) return 'inside';
    return mayBeList && start === column && /^-(?:\s|$)/.test(line.slice(start)) ? 'inside' : 'outside';
  };
}

/** Column of a line's text, after spaces and comment markers. */
export function columnOf(line: string): number {
  return /^(?:[ \t]|[#;](?=[ \t#;]|$)|\/\/(?=\s))*/.exec(line)?.[0].length ?? 0;
}

/** Offset of the closing quote at or after `from`; -1 if there is none. */
export function closingQuote(text: string, quote: string, from: number): number {
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
