/** Settings of Node and V8 for a process that mostly ends within a second. */
import module from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Environment } from '../environment.ts';

/** `command` is the one that is about to run. It comes before the commands are loaded: V8 refuses what was compiled under other flags. */
export function tuneNode(
  { cacheFolder, nodeVersion }: Pick<Environment, 'cacheFolder' | 'nodeVersion'>,
  command: string,
): void {
  // Compiled code is kept for the next start, where this Node can (22.8 and later); NODE_DISABLE_COMPILE_CACHE=1 keeps none.
  if ('enableCompileCache' in module && typeof module.enableCompileCache === 'function')
    module.enableCompileCache(join(cacheFolder, 'code'));
  // V8's flags come and go with its versions, and an unknown one is complained of: only where they are known.
  if (!nodeVersion.startsWith('20.')) return;
  // Most commands end before code that V8 optimises pays off: let it begin later than by default, which saves a fifth of their time.
  setFlagsFromString('--interrupt-budget=2000000');
  // They end before memory is short, too: do not begin to look for garbage in advance, which saves a tenth. A worker runs for days.
  if (command !== 'worker') setFlagsFromString('--no-incremental-marking');
}
