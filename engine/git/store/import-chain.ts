import { createInterface } from 'node:readline';
import { randomUUID } from 'node:crypto';
import {
  BacktrailError,
  type ChainStart,
  type CommitChain,
  isObjectId,
  type NewCommit,
  type ObjectId,
} from '../../model/index.ts';
import { gitFailure } from '../process/failure.ts';
import type { Runner } from '../process/runner.ts';
import { notStarted, terminate, timedOut } from '../process/spawn.ts';
import { commitParts, removeCrashReport } from './import.ts';
import { IMPORT, takeImport } from './import-process.ts';
import { requireObjectId } from './object-id.ts';
import { updateRefs } from './refs.ts';
import { stagingFolder } from './staging.ts';

export interface ImportChain extends CommitChain {
  /** As `add`, and names the tree as well. */
  addWithTree(commit: Omit<NewCommit, 'parent'>): Promise<{ readonly id: ObjectId; readonly tree: ObjectId }>;
  /** What keeps the commits, once it has ended. */
  staged(): readonly StagedRef[];
}

export interface StagedRef {
  readonly ref: string;
  readonly id: ObjectId;
}

/** One `git fast-import` for all commits, which answers each with its id (`get-mark` and `ls` in git help fast-import). */
export function beginChain(runner: Runner, { parent, requestId }: ChainStart): ImportChain {
  return beginChainAt(runner, { parent, ref: `${stagingFolder(requestId)}${randomUUID()}/1` });
}

/** `ref`: one of ours, that keeps them. `parent`: null for a history that begins. */
export function beginChainAt(
  runner: Runner,
  { parent, ref }: { readonly parent: ObjectId | null; readonly ref: string },
): ImportChain {
  const child = takeImport(runner) ?? runner.start(IMPORT);
  const stop = () => terminate(child);
  runner.signal.addEventListener('abort', stop, { once: true });
  let complaint = '';
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (complaint = `${complaint}${text}`.slice(-65_536)));
  let waiting: ((line: string | null) => void) | null = null;
  let failure: Error | null = null;
  let isClosed = false;
  const closed = new Promise<number>((resolve) => {
    child.on('error', (error) => (failure ??= notStarted(error)));
    child.on('close', (code) => {
      isClosed = true;
      runner.signal.removeEventListener('abort', stop);
      waiting?.(null);
      resolve(code ?? 128);
    });
  });
  createInterface({ input: child.stdout }).on('line', (line) => waiting?.(line));
  const timer = setTimeout(() => {
    failure ??= timedOut(IMPORT, runner.timeoutMs);
    terminate(child);
  }, runner.timeoutMs);
  void closed.then(() => clearTimeout(timer));
  const failed = async () => {
    const code = await closed;
    const error = failure ?? gitFailure({ args: IMPORT, code, stderr: complaint, pid: child.pid ?? 0 });
    await removeCrashReport(runner, error);
    return error;
  };
  let mark = 0;
  let last: ObjectId | null = null;
  /** The lines that git answers; null where it has ended. */
  const ask = (input: Buffer, count: number) =>
    new Promise<readonly string[] | null>((resolve) => {
      if (isClosed || failure !== null) return resolve(null);
      const lines: string[] = [];
      waiting = (line) => {
        if (line !== null && lines.push(line) < count) return;
        waiting = null;
        resolve(line === null ? null : lines);
      };
      child.stdin.write(input);
    });
  const write = async (commit: Omit<NewCommit, 'parent'>, asksTree: boolean) => {
    mark += 1;
    const first = parent === null ? null : requireObjectId(parent);
    const from = mark === 1 ? first : `:${mark - 1}`;
    const parts = [...commitParts({ commit: { ...commit, parent: null }, ref, mark, from })];
    if (asksTree) parts.push(Buffer.from(`ls :${mark} ""\n`));
    const lines = await ask(Buffer.concat(parts), asksTree ? 2 : 1);
    if (lines === null) throw await failed();
    const [id = '', entry = ''] = lines;
    const tree = /^040000 tree ([0-9a-f]+)\t/.exec(entry)?.[1] ?? '';
    if (isObjectId(id) && (!asksTree || isObjectId(tree))) return { id: (last = id), tree };
    terminate(child);
    throw new BacktrailError('GIT_FAILED', 'git fast-import did not say which commit it wrote.');
  };
  return {
    add: async (commit) => (await write(commit, false)).id,
    addWithTree: (commit) => write(commit, true),
    staged: () => (last === null ? [] : [{ ref, id: last }]),
    async end() {
      child.stdin.end('done\n');
      if ((await closed) !== 0 || failure !== null) throw await failed();
    },
    async drop() {
      // Ended in order, git takes away the pack that it began.
      if (mark === 0 && !isClosed) child.stdin.end('done\n');
      else terminate(child);
      await closed;
      const staged = last;
      last = null;
      // Best effort: what is left behind goes with a later sweep.
      if (staged !== null)
        await updateRefs(runner, [{ ref, expected: staged, next: null }]).catch(() => undefined);
    },
  };
}
