/** `git log` as everything here reads it: what is asked, and how the answer is taken apart. */
import { isObjectId, type LogCommit, type ObjectId } from '../../model/index.ts';
import { readChanges, type Tokens, unreadable } from '../process/raw-output.ts';

/** Eight fields for each commit, terminated by NUL, which no commit text contains. */
export const FIELDS = ['%H', '%P', '%an', '%ae', '%ct', '%s', '%(trailers:only,unfold)', '%B'];

/** What `git log` and `git diff-tree` have in common. */
const SHOWN = [
  '-z',
  '--diff-merges=first-parent',
  '--root',
  '--no-renames',
  '--no-abbrev',
  '--no-relative',
  '--no-notes',
  '--no-show-signature',
  '--no-color',
  '--encoding=UTF-8',
  `--format=tformat:${FIELDS.join('%x00')}`,
];

/** Fixes everything that configuration could change in the output. git uses Bloom filters only for a single literal path. */
export const LOG = ['log', ...SHOWN, '--first-parent', '--no-follow', '--no-decorate', '--no-mailmap'];
export const CHANGES = ['--raw', '--ignore-submodules=none', '-O/dev/null'];

/** The same of single commits, by `git diff-tree --stdin`. */
export const SHOW = [...SHOWN, ...CHANGES];

export function readLog(output: Tokens): LogCommit[] {
  const commits: LogCommit[] = [];
  while (output.peek() !== null) {
    const [
      id = '',
      parents = '',
      name = '',
      email = '',
      seconds = '',
      subject = '',
      trailers = '',
      message = '',
    ] = FIELDS.map(() => {
      const token = output.next();
      if (token === null) throw unreadable('a commit that is cut off');
      return token.toString('utf8');
    });
    if (!isObjectId(id)) throw unreadable(id);
    commits.push({
      id,
      parents: parents.split(' ').filter(Boolean),
      author: { name, email },
      time: isoTime(seconds),
      subject,
      trailers: trailers.split('\n').filter(Boolean),
      reverts: revertsIn(message),
      changes: readChanges(output),
    });
  }
  return commits;
}

/** The commits that a message says it reverts (git-revert(1)). */
export function revertsIn(message: string): ObjectId[] {
  return [...message.matchAll(/^This reverts commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)\b/gm)].map(
    ([, id = '']) => id,
  );
}

/** Commits may claim any time; one outside of what Date can hold becomes its last. */
export function isoTime(seconds: string): string {
  const milliseconds = Number(seconds) * 1000;
  return new Date(Math.min(Number.isNaN(milliseconds) ? 0 : milliseconds, 8.64e15)).toISOString();
}
