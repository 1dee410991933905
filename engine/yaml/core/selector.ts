import { BacktrailError } from '../../model/index.ts';

/**
 * One step of a selector. `key`: an entry of a map, or a list item by its index in decimal.
 * `index`: an item of a list. `match`: the only item (or document) with these scalar values; names may be dotted.
 * `enter`: from a string into the document that it contains.
 */
export type Step =
  | { readonly key: string }
  | { readonly index: number }
  | { readonly match: Readonly<Record<string, string>> }
  | { readonly enter: true };

export const ENTER: Step = { enter: true };

/** The path from the root of a file to a node; [] selects the whole file. Several documents count as a list. */
export type Selector = readonly Step[];

/**
 * Parses the strict form: a JSON Pointer (RFC 6901) whose keys may be followed by `[name=value,…]` or `[0]`; `~2` is a `[`
 * in a key. A `|` before a `/` or `[` enters the document in the string (`/values|/image/tag`); `~3` is a `|` at the end
 * of a key. Names and values in brackets may be quoted as in JSON.
 * @throws SELECTOR_INVALID with `details.position`
 */
export function parseSelector(text: string): Selector {
  return readPointer(text, 0);
}

function readPointer(text: string, start: number): Step[] {
  const steps: Step[] = [];
  let at = start;
  while (at < text.length) {
    const read = readStep(text, at);
    steps.push(read.step);
    at = read.end;
  }
  return steps;
}

function readStep(text: string, at: number): ParsedStep {
  if (text[at] === '[') return readBracket(text, at);
  return at > 0 && isEnter(text, at) ? { step: ENTER, end: at + 1 } : readPointerKey(text, at);
}

const isEnter = (text: string, at: number) => text[at] === '|' && /[/[]/.test(text[at + 1] ?? '');

/**
 * Parses user input: the strict form if it starts with `/` or `[`, else a dotted path such as `image.tag`,
 * `spec.containers[name=x].image` or `containers[0]`.
 * @throws SELECTOR_INVALID with `details.position`
 */
export function parseLooseSelector(text: string): Selector {
  if (text === '' || text.startsWith('/') || text.startsWith('[')) return parseSelector(text);
  const steps: Step[] = [];
  for (let at = 0; at < text.length; ) {
    const read = text[at] === '[' ? readBracket(text, at) : readDottedKey(text, at);
    steps.push(read.step);
    at = read.end;
    const next = text[at];
    if (next === undefined || next === '[') continue;
    if (isEnter(text, at)) return [...steps, ...readPointer(text, at)];
    if (next !== '.') fail(text, at, 'expected "." or "["');
    at += 1;
    if (at === text.length || text[at] === '[') fail(text, at, 'expected a key after "."');
  }
  return steps;
}

/** The canonical text of a selector: equal selectors have equal texts. Reversed by `parseSelector`. */
export function formatSelector(selector: Selector): string {
  return selector.map(formatStep).join('');
}

/**
 * Whether `inner` selects the node of `outer` or a node below it. Compares steps only: `[name=a,kind=b]` is within `[name=a]`; an
 * index and a match of the same list item are not known to be the same.
 */
export function isWithin(inner: Selector, outer: Selector): boolean {
  return outer.every((step, index) => {
    const own = inner[index];
    return own !== undefined && isSameStep(own, step);
  });
}

function isSameStep(inner: Step, outer: Step): boolean {
  if ('match' in inner && 'match' in outer) {
    return Object.entries(outer.match).every(
      ([name, value]) => Object.hasOwn(inner.match, name) && inner.match[name] === value,
    );
  }
  if ('enter' in inner || 'enter' in outer) return 'enter' in inner && 'enter' in outer;
  if ('match' in inner || 'match' in outer) return false;
  return plainStep(inner) === plainStep(outer);
}

const plainStep = (step: { key: string } | { index: number }) =>
  'key' in step ? step.key : String(step.index);

function formatStep(step: Step): string {
  if ('enter' in step) return '|';
  if ('key' in step) return `/${escapeKey(step.key)}`;
  if ('index' in step) return `[${step.index}]`;
  const pairs = Object.entries(step.match).sort(([a], [b]) => (a < b ? -1 : 1));
  return `[${pairs.map(([name, value]) => `${formatWord(name)}=${formatWord(value)}`).join(',')}]`;
}

const escapeKey = (key: string) =>
  key.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('[', '~2').replace(/\|$/, '~3');

const formatWord = (word: string) => (/^[^\s"=,[\]\p{C}]+$/u.test(word) ? word : JSON.stringify(word));

interface ParsedStep {
  readonly step: Step;
  readonly end: number;
}

const UNESCAPED: Readonly<Record<string, string>> = { '0': '~', '1': '/', '2': '[', '3': '|' };

function readPointerKey(text: string, start: number): ParsedStep {
  if (text[start] !== '/') fail(text, start, 'expected "/" or "["');
  let key = '';
  let at = start + 1;
  for (let char = text[at]; char !== undefined && !endsKey(text, at); char = text[at]) {
    if (char === '~') {
      at += 1;
      char = UNESCAPED[text[at] ?? ''];
      if (char === undefined) fail(text, at, 'expected 0, 1, 2 or 3 after "~"');
    }
    key += char;
    at += 1;
  }
  return { step: { key }, end: at };
}

const endsKey = (text: string, at: number) => text[at] === '/' || text[at] === '[' || isEnter(text, at);

function readDottedKey(text: string, start: number): ParsedStep {
  let at = start;
  while (at < text.length && text[at] !== '.' && text[at] !== '[' && !isEnter(text, at)) at += 1;
  if (at === start) fail(text, at, 'empty key');
  return { step: { key: text.slice(start, at) }, end: at };
}

function readBracket(text: string, start: number): ParsedStep {
  const index = /^\[(0|[1-9]\d{0,8})\]/.exec(text.slice(start, start + 12));
  if (index) return { step: { index: Number(index[1]) }, end: start + index[0].length };
  const match: Record<string, string> = Object.create(null);
  let at = start;
  do {
    const name = readWord(text, skipBlanks(text, at + 1), '=');
    if (text[name.end] !== '=') fail(text, name.end, 'expected a name and "="');
    if (name.word === '') fail(text, name.end, 'empty name in brackets');
    if (Object.hasOwn(match, name.word)) fail(text, name.end, 'duplicate name in brackets');
    const value = readWord(text, name.end + 1, ',]');
    match[name.word] = value.word;
    at = value.end;
  } while (text[at] === ',');
  if (text[at] !== ']') fail(text, at, 'expected "]"');
  return { step: { match }, end: at + 1 };
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (text[at] === ' ') at += 1;
  return at;
}

/** A name or value in brackets: quoted as in JSON, or up to one of `stops`. */
function readWord(text: string, start: number, stops: string): { word: string; end: number } {
  if (text[start] === '"') return readQuoted(text, start);
  let end = start;
  for (let char = text[end]; char !== undefined && !stops.includes(char); char = text[end]) {
    if (char === '[' || char === ']' || char === '"') fail(text, end, `${char} in brackets must be quoted`);
    end += 1;
  }
  return { word: text.slice(start, end), end };
}

function readQuoted(text: string, start: number): { word: string; end: number } {
  let end = start + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  try {
    const word: unknown = JSON.parse(text.slice(start, end + 1));
    if (typeof word === 'string') return { word, end: end + 1 };
  } catch {
    // Reported below, with the position.
  }
  return fail(text, start, 'the quoted text is not valid JSON');
}

function fail(text: string, at: number, problem: string): never {
  const excerpt = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  throw new BacktrailError(
    'SELECTOR_INVALID',
    `The selector ${JSON.stringify(excerpt)} is invalid: ${problem}, at character ${at + 1}.`,
    { details: { position: at } },
  );
}
