import { BacktrailError, decodePath } from '../../model/index.ts';
import type { Entry, PathChange } from '../../model/index.ts';

/** NUL-terminated tokens of git's output, one after the other. */
export interface Tokens {
  /** The next token, or null at the end. */
  next(): Buffer | null;
  peek(): Buffer | null;
}

export function tokens(output: Buffer): Tokens {
  let at = 0;
  const peek = () => {
    if (at >= output.length) return null;
    const end = output.indexOf(0, at);
    return output.subarray(at, end < 0 ? output.length : end);
  };
  return {
    peek,
    next() {
      const token = peek();
      if (token !== null) at += token.length + 1;
      return token;
    },
  };
}

/** `:<mode> <mode> <id> <id> <status>` of `git diff-tree --raw`; in a log the first of a commit follows a newline. */
const HEADER = /^\n?:(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([A-Z])\d*$/;
const COLON = 58;
const NEWLINE = 10;

export interface RawChange extends PathChange {
  /** Of a rename: the path before. */
  readonly from?: string;
}

/** The changes that stand next in the output, up to something else or the end. */
export function readChanges(output: Tokens): RawChange[] {
  const changes: RawChange[] = [];
  for (let token = output.peek(); isHeader(token); token = output.peek()) {
    output.next();
    changes.push(readChange(token.toString('latin1'), output));
  }
  return changes;
}

function isHeader(token: Buffer | null): token is Buffer {
  return token !== null && (token[0] === COLON || (token[0] === NEWLINE && token[1] === COLON));
}

function readChange(header: string, output: Tokens): RawChange {
  const [, oldMode = '', newMode = '', oldId = '', newId = '', status] = HEADER.exec(header) ?? [];
  const first = output.next();
  if (status === undefined || first === null) throw unreadable(header);
  const second = status === 'R' || status === 'C' ? output.next() : null;
  const path = second ?? first;
  return {
    path: decodePath(path),
    before: side(oldMode, oldId),
    after: side(newMode, newId),
    ...(second === null ? {} : { from: decodePath(first) }),
  };
}

function side(mode: string, id: string): Entry | null {
  return mode === '000000' ? null : { mode, id };
}

export function unreadable(text: string): BacktrailError {
  return new BacktrailError(
    'GIT_FAILED',
    `git gave output that makes no sense: ${JSON.stringify(text.slice(0, 80))}.`,
  );
}
