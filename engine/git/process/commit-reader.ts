import { randomUUID } from 'node:crypto';
import type { ObjectId } from '../../model/index.ts';
import { gitFailure } from './failure.ts';
import { SMALL_WINDOWS } from './small-windows.ts';
import { keepAlive, notStarted, terminate, timedOut } from './spawn.ts';
import type { Child } from './spawn.ts';

interface Setup {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  start(args: readonly string[]): Child;
}

/** What `git diff-tree --stdin` prints of these commits, one after the other; it passes over what is no commit. Rejects as `gitFailure` says. */
export type ReadCommits = (ids: readonly ObjectId[]) => Promise<Buffer>;

/** Commits of one child: it keeps the text of each. */
const MOST = 2_000;

/**
 * One child for one question after the other: starting git takes longer than reading a few commits. A line that is no object id is printed as it
 * is, and with it all that came before (builtin/diff-tree.c): a random one says where an answer ends.
 */
export function createCommitReader(setup: Setup, options: readonly string[]): ReadCommits {
  const args = [...SMALL_WINDOWS, 'diff-tree', '--stdin', '--always', '-r', ...options];
  let child: Child | null = null;
  let read = 0;
  let last: Promise<unknown> = Promise.resolve();
  const run = async (ids: readonly ObjectId[]) => {
    if (child !== null && read + ids.length > MOST) {
      child.stdin.end();
      child = null;
    }
    if (child === null) {
      read = 0;
      const opened = open(setup, args, () => {
        if (child === opened) child = null;
      });
      child = opened;
    }
    read += ids.length;
    return converse(setup, child, { args, ids });
  };
  return (ids) => {
    const next = last.then(() => run(ids));
    last = next.catch(() => undefined);
    return next;
  };
}

function open(setup: Setup, args: readonly string[], ended: () => void): Child {
  setup.signal.throwIfAborted();
  const child = setup.start(args);
  const stop = () => terminate(child);
  setup.signal.addEventListener('abort', stop, { once: true });
  child.on('error', ended);
  child.on('close', () => {
    setup.signal.removeEventListener('abort', stop);
    ended();
  });
  keepAlive(child, false);
  return child;
}

function converse(
  { timeoutMs }: Setup,
  child: Child,
  { args, ids }: { readonly args: readonly string[]; readonly ids: readonly ObjectId[] },
): Promise<Buffer> {
  const end = Buffer.from(`=${randomUUID()}\n`);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let tail: Buffer = Buffer.alloc(0);
    let complaint = '';
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      child.stdout.off('data', hear);
      child.stderr.off('data', note);
      child.off('error', fail);
      child.off('close', close);
      keepAlive(child, false);
      outcome();
    };
    const hear = (chunk: Buffer) => {
      chunks.push(chunk);
      tail = Buffer.concat([tail, chunk.subarray(-end.length)]).subarray(-end.length);
      if (tail.equals(end)) settle(() => resolve(Buffer.concat(chunks).subarray(0, -end.length)));
    };
    const note = (chunk: Buffer) => (complaint = `${complaint}${chunk.toString('utf8')}`.slice(-65_536));
    const fail = (error: Error) => settle(() => reject(notStarted(error)));
    const close = (code: number | null) =>
      settle(() => reject(gitFailure({ args, code: code ?? 128, stderr: complaint })));
    const timer = setTimeout(() => {
      terminate(child);
      settle(() => reject(timedOut(args, timeoutMs)));
    }, timeoutMs);
    keepAlive(child, true);
    child.stdout.on('data', hear);
    child.stderr.on('data', note);
    child.on('error', fail);
    child.on('close', close);
    child.stdin.write(`${ids.join('\n')}\n${end.toString('latin1')}`);
  });
}
