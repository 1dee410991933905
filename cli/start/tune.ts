/** Settings of Node and V8 for a process that mostly ends within a second. */
import module from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Environment } from '../environment.ts';

export function tuneNode({
  cacheFolder,
  nodeVersion,
}: Pick<Environment, 'cacheFolder' | 'nodeVersion'>): void {
  // Compiled code is kept for the next start, where this Node can (22.8 and later); NODE_DISABLE_COMPILE_CACHE=1 keeps none.
  if ('enableCompileCache' in module && typeof module.enableCompileCache === 'function')
    module.enableCompileCache(join(cacheFolder, 'code'));
  // Most commands end before code that V8 optimises pays off: let it begin later than by default, which saves a fifth of their time. V8's
  // flags come and go with its versions, and an unknown one is complained of: only where it is known. It is set before the commands are
  // loaded, as V8 refuses what was compiled under other flags.
  if (nodeVersion.startsWith('20.')) setFlagsFromString('--interrupt-budget=2000000');
}
