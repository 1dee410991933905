import type { Runner } from '../process/runner.ts';
import { SMALL_WINDOWS } from '../process/small-windows.ts';
import { type Child, keepAlive } from '../process/spawn.ts';

/** `git fast-import`, which is given its stream when there is one. */
export const IMPORT = [...SMALL_WINDOWS, '-c', 'core.fsync=all', 'fast-import', '--quiet', '--done'];

/** Started before what they are to write is known. */
const EXPECTED = new WeakMap<Runner, Child[]>();

/** Starts processes that the next imports take, so that nobody waits for git to start. The function that is returned ends those that nobody took. */
export function expectImports(runner: Runner, count: number): () => void {
  const children = EXPECTED.get(runner) ?? [];
  EXPECTED.set(runner, children);
  if (runner.signal.aborted) return () => undefined;
  const own = Array.from({ length: count }, () => runner.start(IMPORT));
  for (const child of own) {
    const forget = () => {
      if (children.includes(child)) children.splice(children.indexOf(child), 1);
    };
    child.once('error', forget);
    child.once('close', forget);
    keepAlive(child, false);
  }
  children.push(...own);
  return () => {
    for (const child of own) {
      if (!children.includes(child)) continue;
      children.splice(children.indexOf(child), 1);
      // Ended in order, git takes away the pack that it began.
      child.stdin.end('done\n');
    }
  };
}

/** One that was expected, where there is one. */
export function takeImport(runner: Runner): Child | undefined {
  const child = EXPECTED.get(runner)?.shift();
  if (child) keepAlive(child, true);
  return child;
}
