/** What git itself reads in the text of a commit: a port of its pretty.c, ident.c and trailer.c, in the settings of ours. */
import type { Person } from '../../model/index.ts';

export interface CommitText {
  readonly author: Person;
  /** Digits of the committer's time as `git log` prints them; may be empty. */
  readonly seconds: string;
  /** Committer time in seconds, as git sorts and selects by it. */
  readonly date: number;
  readonly subject: string;
  /** From the subject on. */
  readonly message: string;
}

export function readCommitText(bytes: Buffer): CommitText {
  // For git a text ends with the first NUL.
  const text = decode(bytes).split('\0', 1)[0] ?? '';
  const end = text.startsWith('\n') ? 0 : text.indexOf('\n\n') + 1 || text.length;
  const header = text.slice(0, end).split('\n');
  const last = (key: string) =>
    header.findLast((line) => line.startsWith(`${key} `))?.slice(key.length + 1) ?? '';
  const author = readIdent(last('author'));
  const message = text.slice(end).replace(/^(?:[ \t\r]*\n)*(?:[ \t\r]*$)?/, '');
  return {
    author: { name: author.name, email: author.email },
    seconds: readIdent(last('committer')).seconds,
    date: Number(DATE.exec(text)?.[1] ?? 0),
    subject: readSubject(message),
    message,
  };
}

/** The whole object is in the encoding that its header names; what cannot be decoded stands as it is. */
function decode(bytes: Buffer): string {
  const end = bytes.indexOf('\n\n');
  const header = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  const encoding = /(?:^|\n)encoding (.*)/.exec(header)?.[1] ?? 'UTF-8';
  if (/^utf-?8$/i.test(encoding)) return bytes.toString('utf8');
  // What the web calls latin1 is another encoding.
  if (/^(iso-?8859-1|latin-?1)$/i.test(encoding)) return bytes.toString('latin1');
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes.toString('utf8');
  }
}

/** `Name <email> seconds zone` */
function readIdent(line: string): Person & { seconds: string } {
  const open = line.indexOf('<');
  const close = open < 0 ? -1 : line.indexOf('>', open);
  if (close < 0) return { name: '', email: '', seconds: '' };
  const name = trimEnd(line.slice(0, open));
  const email = line.slice(open + 1, close);
  const date = /^[ \t\r]*(\d+)[ \t\r]*[+-]\d/.exec(line.slice(line.lastIndexOf('>') + 1));
  return { name, email, seconds: date?.[1] ?? '' };
}

/** The time that git selects by stands in its own place only: the line after the parents and the author. */
const DATE = /^tree [^\n]*\n(?:parent [^\n]*\n)*author[^\n]*\ncommitter[^\n]*>[ \t\r]*(\d+)[^\n]*\n/;

function readSubject(message: string): string {
  const lines: string[] = [];
  for (const line of message.split('\n')) {
    const text = trimEnd(line);
    if (text === '') break;
    lines.push(text);
  }
  return lines.join(' ');
}

const GENERATED = ['Signed-off-by: ', '(cherry picked from commit '];
const SCISSORS = '# ------------------------ >8 ------------------------\n';

/** `Key: value` of each trailer, unfolded: `%(trailers:only,unfold)`. */
export function readTrailers(message: string): string[] {
  const text = message.slice(0, trailerEnd(message));
  const block = text.slice(trailerStart(text));
  const items: string[] = [];
  let folds = false;
  for (const line of block.split(/(?<=\n)/)) {
    if (folds && isSpace(line[0])) items.push(`${items.pop() ?? ''}${line}`);
    else {
      items.push(line);
      folds = separatorAt(line) > 0;
    }
  }
  return items.flatMap((item) => {
    const at = separatorAt(item);
    return at < 1 ? [] : [`${trim(item.slice(0, at))}: ${unfold(trim(item.slice(at + 1)))}`];
  });
}

/** Without the blank lines, comments and lists of conflicts at the end, and without what follows scissors. */
function trailerEnd(text: string): number {
  const scissors = text.startsWith(SCISSORS) ? 0 : text.indexOf(`\n${SCISSORS}`) + 1;
  const cutoff = text.startsWith(SCISSORS) || scissors > 0 ? scissors : text.length;
  // 0 is nowhere: a message does not begin with its end.
  let start = 0;
  let conflicts = false;
  for (let at = 0; at < cutoff; at = nextLine(text, at)) {
    if (text[at] === '#' || text[at] === '\n') start ||= at;
    else if (text.startsWith('Conflicts:\n', at)) {
      conflicts = true;
      start ||= at;
    } else if (!conflicts || text[at] !== '\t') {
      start = 0;
      conflicts = false;
    }
  }
  return start || cutoff;
}

/** The last paragraph, where it is one of trailers; never the first. */
function trailerStart(text: string): number {
  const title = endOfTitle(text);
  let [blank, generated] = [true, false];
  let [trailers, others, continuations] = [0, 0, 0];
  for (let at = lastLine(text, text.length); at >= title; at = lastLine(text, at)) {
    if (text[at] === '#') {
      others += continuations;
      continuations = 0;
    } else if (isBlank(text, at)) {
      if (blank) continue;
      others += continuations;
      const counts = (generated && trailers * 3 >= others) || (trailers > 0 && others === 0);
      return counts ? nextLine(text, at) : text.length;
    } else {
      blank = false;
      if (GENERATED.some((prefix) => text.startsWith(prefix, at))) {
        generated = true;
        trailers += 1;
        continuations = 0;
      } else if (isSpace(text[at])) continuations += 1;
      else if (separatorAt(text, at) > 0) {
        trailers += 1;
        continuations = 0;
      } else {
        others += 1 + continuations;
        continuations = 0;
      }
    }
  }
  return text.length;
}

function endOfTitle(text: string): number {
  let at = 0;
  while (at < text.length && (text[at] === '#' || !isBlank(text, at))) at = nextLine(text, at);
  return at;
}

/** Where the colon of a trailer stands, counted from the line's beginning; -1 where the line is none. */
function separatorAt(text: string, from = 0): number {
  let blank = false;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === ':') return at - from;
    if (at > from && (char === ' ' || char === '\t')) blank = true;
    else if (blank || !/[A-Za-z0-9-]/.test(char)) break;
  }
  return -1;
}

function nextLine(text: string, at: number): number {
  return text.indexOf('\n', at) + 1 || text.length;
}

/** Where the line begins that ends before `end`. */
function lastLine(text: string, end: number): number {
  if (end === 0) return -1;
  return end === 1 ? 0 : text.lastIndexOf('\n', end - 2) + 1;
}

function isBlank(text: string, at: number): boolean {
  while (at < text.length && text[at] !== '\n' && isSpace(text[at])) at += 1;
  return at >= text.length || text[at] === '\n';
}

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}

function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1])) end -= 1;
  return text.slice(0, end);
}

function trim(text: string): string {
  let start = 0;
  while (start < text.length && isSpace(text[start])) start += 1;
  return trimEnd(text.slice(start));
}

function unfold(value: string): string {
  return trim(value.replace(/\n[ \t\n\r]*/g, ' '));
}
