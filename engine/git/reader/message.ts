/**
 * What git reads in the text of a commit object. Written from git-interpret-trailers(1), git-commit(1) (comments, scissors, encodings),
 * git-fast-import(1) (idents) and pretty-formats in git-log(1). What they leave open was measured with git 2.39, and
 * test/contracts/readers-agree.test.ts compares both on odd and on random messages.
 */
import type { Person } from '../../model/index.ts';

export interface CommitText {
  readonly author: Person;
  /** Digits of the committer's time as `git log` prints them; may be empty. */
  readonly seconds: string;
  /** Committer time in seconds, as `git rev-list --min-age` compares it. */
  readonly date: number;
  readonly subject: string;
  /** From the subject on. */
  readonly message: string;
}

/** What git takes for whitespace: no form feed, no space of Unicode. */
const BLANK = /^[ \t\r\n]*$/;

export function readCommitText(bytes: Buffer): CommitText {
  // git prints nothing after the first NUL.
  const [text = ''] = decode(bytes).split('\0', 1);
  const [, header = '', body = ''] = /^(.*?)(?:(?<=^|\n)\n(.*))?$/s.exec(text) ?? [];
  const lines = header.split('\n');
  // Of a header that is there twice the last one is shown.
  const ident = (key: string) => readIdent(lines.findLast((line) => line.startsWith(key))?.slice(key.length));
  const { name, email } = ident('author ');
  const message = withoutLeadingBlanks(body);
  return {
    author: { name, email },
    seconds: ident('committer ').seconds,
    date: Number(USUAL_ORDER.exec(text)?.[1] ?? 0),
    subject: readSubject(message),
    message,
  };
}

/** The whole object is in the encoding that its header names (git-commit(1), DISCUSSION); what cannot be decoded is taken as UTF-8. */
function decode(bytes: Buffer): string {
  const end = bytes.indexOf('\n\n');
  const header = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  const encoding = /^encoding (.*)/m.exec(header)?.[1] ?? 'UTF-8';
  if (/^utf-?8$/i.test(encoding)) return bytes.toString('utf8');
  // TextDecoder reads this name as windows-1252.
  if (/^(iso-?8859-1|latin-?1)$/i.test(encoding)) return bytes.toString('latin1');
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes.toString('utf8');
  }
}

/** `NAME <EMAIL> SECONDS ZONE`. The time follows the last `>` of the line; all is empty where there is no address. */
function readIdent(line = ''): Person & { seconds: string } {
  const [, name, email = '', rest = ''] = /^([^<]*)<([^>]*)>(.*)$/s.exec(line) ?? [];
  if (name === undefined) return { name: '', email: '', seconds: '' };
  const seconds = /^[ \t\r]*(\d+)[ \t\r]*[+-]\d/.exec(rest.slice(rest.lastIndexOf('>') + 1))?.[1] ?? '';
  return { name: trimEnd(name), email, seconds };
}

/** Measured: a commit whose header lines are in another order is as old as 1970 for `--min-age`. */
const USUAL_ORDER = /^tree [^\n]*\n(?:parent [^\n]*\n)*author[^\n]*\ncommitter[^\n]*>[ \t\r]*(\d+)[^\n]*\n/;

function withoutLeadingBlanks(body: string): string {
  const lines = linesOf(body);
  const first = lines.findIndex((line) => !BLANK.test(line));
  return first < 0 ? '' : lines.slice(first).join('');
}

/** `%s`: the first paragraph as one line. */
function readSubject(message: string): string {
  const lines = message.split('\n').map(trimEnd);
  const end = lines.indexOf('');
  return lines.slice(0, end < 0 ? lines.length : end).join(' ');
}

/** `TOKEN: VALUE`: "no whitespace before or inside the token, but any number of regular space and tab characters between token and separator". */
const TRAILER = /^([A-Za-z0-9-]+)[ \t]*:(.*)$/s;
/** What `--signoff` and `cherry-pick -x` write: with one of these, other lines may be among the trailers. */
const GENERATED = /^(?:Signed-off-by: |\(cherry picked from commit )/;
const FOLDED = /^[ \t\r]/;

/** `Key: value` of each trailer, as `%(trailers:only,unfold)` gives them. */
export function readTrailers(message: string): string[] {
  const trailers: { key: string; value: string }[] = [];
  let open: (typeof trailers)[number] | null = null;
  for (const line of trailerGroup(writtenLines(linesOf(message)))) {
    const text = line.replace(/\n$/, '');
    if (open !== null && FOLDED.test(line)) {
      open.value += ` ${trimStart(text)}`;
      continue;
    }
    const [, key, value = ''] = TRAILER.exec(text) ?? [];
    open = key === undefined ? null : { key, value };
    if (open !== null) trailers.push(open);
  }
  return trailers.map(({ key, value }) => `${key}: ${trimStart(trimEnd(value))}`);
}

/**
 * The lines without what git adds for whoever edits a message: all below the scissors (`--cleanup=scissors`), and at the end empty lines, comments,
 * and lists of conflicts, a `Conflicts:` with indented names.
 */
function writtenLines(lines: readonly string[]): readonly string[] {
  const scissors = lines.indexOf('# ------------------------ >8 ------------------------\n');
  const above = scissors < 0 ? lines : lines.slice(0, scissors);
  const isNote = (line: string) => line === '\n' || line.startsWith('#');
  const isHeader = (line: string) => line === 'Conflicts:\n';
  const isList = (line: string) => isNote(line) || isHeader(line) || line.startsWith('\t');
  // Measured: with `Conflicts:` for a subject, indented lines at the end need no other one above them.
  const first = above.findIndex((line, index) => index > 0 && (isNote(line) || isHeader(line)));
  if (isHeader(above[0] ?? '') && first > 0 && above.slice(first).every(isList)) return above.slice(0, first);
  let end = above.length;
  let isListed = false;
  for (const [index, line] of [...above.entries()].reverse()) {
    if (isHeader(line)) isListed = false;
    else if (line.startsWith('\t')) isListed = true;
    else if (!isNote(line)) break;
    // Indented lines belong to the end only with `Conflicts:` above them.
    if (!isListed) end = index;
  }
  return above.slice(0, end);
}

/**
 * The last paragraph, if it "(i) is all trailers, or (ii) contains at least one Git-generated trailer and consists of at least 25% trailers". "The group must
 * be preceded by one or more empty (or whitespace-only) lines", so that a subject is never one.
 */
function trailerGroup(lines: readonly string[]): readonly string[] {
  const isBlank = (line: string) => BLANK.test(line);
  const isComment = (line: string) => line.startsWith('#');
  const written = lines.slice(0, lines.findLastIndex((line) => !isBlank(line) && !isComment(line)) + 1);
  const before = written.findLastIndex(isBlank);
  if (before < 0) return [];
  const group = written.slice(before + 1);
  const count = { trailers: 0, others: 0 };
  // A folded line is part of the trailer above it; anywhere else it is one of the others. A comment counts for nothing.
  let inTrailer = false;
  for (const line of group) {
    if (FOLDED.test(line)) {
      if (!inTrailer) count.others += 1;
      continue;
    }
    inTrailer = GENERATED.test(line) || TRAILER.test(line);
    if (inTrailer) count.trailers += 1;
    else if (!isComment(line)) count.others += 1;
  }
  const { trailers, others } = count;
  const isMixed = group.some((line) => GENERATED.test(line)) && trailers / (trailers + others) >= 0.25;
  return isMixed || (trailers > 0 && others === 0) ? group : [];
}

/** Each with the newline that ends it. */
const linesOf = (text: string) => text.split(/(?<=\n)/);

const trimEnd = (text: string) => {
  let end = text.length;
  while (end > 0 && BLANK.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
};
const trimStart = (text: string) => text.replace(/^[ \t\r\n]+/, '');
