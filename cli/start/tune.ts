/** Settings of Node and V8 for a process that mostly ends within a second. */
import module from 'node:module';
import { join } from 'node:path';

/** Modules of Node that most commands use. Node has compiled them, under the flags that it starts with: under others V8 compiles them anew. */
const USED = ['node:fs/promises', 'node:child_process'];

/** It comes before anything is loaded that is kept compiled: V8 refuses what was compiled under other flags. */
export function tuneNode(
  cacheFolder: string,
  {
    isLong,
    isLarge,
  }: {
    readonly isLong: boolean;
    /** It has many rollbacks in hand. */
    readonly isLarge: boolean;
  },
): void {
  // Compiled code is kept for the next start, where this Node can (22.8 and later); NODE_DISABLE_COMPILE_CACHE=1 keeps none.
  if ('enableCompileCache' in module && typeof module.enableCompileCache === 'function')
    module.enableCompileCache(join(cacheFolder, 'code'));
  // V8's flags come and go with its versions, and an unknown one is complained of: only where they are known.
  if (!process.versions.node.startsWith('20.')) return;
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  for (const name of USED) process.getBuiltinModule(name);
  // Most commands end before code that V8 optimises pays off: let it begin later than by default, which saves a fifth of their time.
  setFlagsFromString('--interrupt-budget=2000000');
  // They end before memory is short, too: do not begin to look for garbage in advance, which saves a tenth. A worker runs for days.
  if (!isLong) setFlagsFromString('--no-incremental-marking');
  // By default the heap may double before V8 looks for garbage: with hundreds of rollbacks in hand 70 MB.
  if (isLarge) setFlagsFromString('--heap-growing-percent=25');
}
