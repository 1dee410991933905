import { gitFailure } from './failure.ts';
import { keepAlive, notStarted, terminate, timedOut } from './spawn.ts';
import type { Child } from './spawn.ts';

interface Setup {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  start(args: readonly string[]): Child;
}

const ARGS = ['-c', 'core.fsync=all', 'update-ref', '-m', 'backtrail: publish', '-z', '--stdin'];

/** What git answers when all three commands of a transaction went well (git help update-ref). */
const DONE = 'start: ok\nprepare: ok\ncommit: ok\n';

/** Runs edits (commands of `update-ref -z --stdin`) as one transaction; rejects as `gitFailure` says, and then nothing has moved. */
export type Transact = (edits: readonly string[]) => Promise<void>;

/** One child for one transaction after the other: starting git takes longer than a transaction. A refused one ends the child. */
export function createTransact(setup: Setup): Transact {
  let child: Child | null = null;
  let last: Promise<unknown> = Promise.resolve();
  const run = async (edits: readonly string[]) => {
    child ??= open(setup, () => (child = null));
    await converse(setup, child, `start\0${edits.join('')}prepare\0commit\0`);
  };
  return (edits) => {
    const next = last.then(() => run(edits));
    last = next.catch(() => undefined);
    return next;
  };
}

function open(setup: Setup, ended: () => void): Child {
  setup.signal.throwIfAborted();
  const child = setup.start(ARGS);
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

/** Rejects with what git says on standard error when it ends without having committed. */
function converse({ timeoutMs }: Setup, child: Child, commands: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = '';
    let complaint = '';
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      child.stdout.off('data', hear);
      child.stderr.off('data', note);
      child.off('error', fail);
      child.off('close', end);
      keepAlive(child, false);
      outcome();
    };
    const hear = (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (answer === DONE) settle(resolve);
    };
    const note = (chunk: Buffer) => (complaint = `${complaint}${chunk.toString('utf8')}`.slice(-65_536));
    const fail = (error: Error) => settle(() => reject(notStarted(error)));
    const end = (code: number | null) =>
      settle(() => reject(gitFailure({ args: ARGS, code: code ?? 128, stderr: complaint })));
    const timer = setTimeout(() => {
      terminate(child);
      settle(() => reject(timedOut(ARGS, timeoutMs)));
    }, timeoutMs);
    keepAlive(child, true);
    child.stdout.on('data', hear);
    child.stderr.on('data', note);
    child.on('error', fail);
    child.on('close', end);
    child.stdin.write(commands);
  });
}
