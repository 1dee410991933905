/** A commit as it was written, taken apart without git. */
import type { ObjectId, Person } from '../../model/index.ts';
import { readCommitText, readTrailers } from '../../git/reader/message.ts';
import { parseCommit } from '../../git/store/objects.ts';
import { revertsIn } from '../../git/history/log.ts';

interface Stamp extends Person {
  /** Since 1970; -1 where the line is not as git writes it. */
  readonly seconds: number;
  /** `+0000` */
  readonly zone: string;
}

export interface CommitText {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: Stamp;
  readonly committer: Stamp;
  /** All that follows the header, as it was written. */
  readonly message: string;
  readonly subject: string;
  /** As git parses them. */
  readonly trailers: readonly string[];
  readonly reverts: readonly ObjectId[];
  /** The first header line that Backtrail does not write; null: there is none. */
  readonly added: string | null;
  /** A line is written as the id of a request, whether or not git reads it as a trailer. */
  readonly isLike: boolean;
}

export function readCommit(id: ObjectId, bytes: Uint8Array): CommitText {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { subject, message: shown } = readCommitText(buffer);
  const text = buffer.toString('utf8');
  const end = text.indexOf('\n\n');
  const header = (end < 0 ? text : text.slice(0, end)).split('\n');
  const stamp = (key: string) => stampOf(header.find((line) => line.startsWith(key))?.slice(key.length));
  return {
    ...parseCommit(id, buffer),
    author: stamp('author '),
    committer: stamp('committer '),
    message: end < 0 ? '' : text.slice(end + 2),
    subject,
    trailers: readTrailers(shown),
    reverts: revertsIn(shown),
    added: addedIn(header),
    isLike: /^(?:Rollback|Resume)-Request-ID: /m.test(text),
  };
}

/** Each once and in this order; a signature goes on in lines that begin with a blank. */
const HEADER = ['tree', 'parent', 'author', 'committer', 'gpgsig', 'gpgsig-sha256'];

function addedIn(header: readonly string[]): string | null {
  let last = -1;
  for (const line of header) {
    const isSignature = last >= HEADER.indexOf('gpgsig');
    if (isSignature && line.startsWith(' ')) continue;
    const at = HEADER.indexOf(line.split(' ', 1)[0] ?? '');
    // A merge has several parents, and is judged for that.
    const isInOrder = at > last || (at === last && HEADER[at] === 'parent');
    if (!isInOrder) return line;
    last = at;
  }
  return null;
}

function stampOf(line = ''): Stamp {
  const [, name = '', email = '', seconds = '-1', zone = ''] =
    /^(.*) <([^<>]*)> (\d{1,15}) ([+-]\d{4})$/.exec(line) ?? [];
  // Commits may claim any time; one outside of what a date can hold becomes its last.
  return { name, email, seconds: Math.min(Number(seconds), 8.64e12), zone };
}
