/** What executes at once, and what waits to be let go on. */
import { EventEmitter, once } from 'node:events';
import { STEPS } from '../../../engine/model/index.ts';
import type { ExecuteRollback } from '../../../workers/index.ts';
import { resultOf } from '../../helpers/queue/queue-values.ts';

/** Goes through the steps like the engine does. */
export const succeed: ExecuteRollback = async ({ requestId, onStep, signal }) => {
  for (const step of STEPS) {
    await onStep({ step, ...(step === 'planned' ? {} : { commit: 'c'.repeat(40) }) });
    signal.throwIfAborted();
  }
  return resultOf(requestId);
};

/** A promise, and what resolves it. */
export function holdBack() {
  const gate = new EventEmitter();
  const held = once(gate, 'open');
  return { held, release: () => gate.emit('open') };
}
