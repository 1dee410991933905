import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { exitOnSignal } from '../../workers/index.ts';
import { recordingLogger } from '../helpers/queue/queue.ts';

/** A process that only notes how it would have exited. */
class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number) {
    this.exits.push(code);
  }
}

function setUp(stop: () => Promise<void>) {
  const target = new FakeProcess();
  const remove = exitOnSignal({ stop, logger: recordingLogger().logger, process: target });
  return { target, remove };
}

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT'])('%s stops in order and exits with 0', async (signal) => {
    let stopped = 0;
    const { target } = setUp(() => Promise.resolve(void (stopped += 1)));
    target.emit(signal);
    await sleep(10);
    expect({ stopped, exits: target.exits }).toEqual({ stopped: 1, exits: [0] });
  });

  it('exits with 1 when stopping fails', async () => {
    const { target } = setUp(() => Promise.reject(new Error('no')));
    target.emit('SIGTERM');
    await sleep(10);
    expect(target.exits).toEqual([1]);
  });

  it('exits at once when it comes a second time', async () => {
    const { target } = setUp(() => sleep(60_000, undefined, { ref: false }));
    target.emit('SIGTERM');
    await sleep(300);
    expect(target.exits).toEqual([]);
    target.emit('SIGTERM');
    expect(target.exits).toEqual([143]);
  });

  it('is one signal when the terminal and npm both deliver it', async () => {
    let stopped = 0;
    const { target } = setUp(() => sleep(60_000, void (stopped += 1), { ref: false }));
    target.emit('SIGINT');
    target.emit('SIGINT');
    await sleep(20);
    expect({ stopped, exits: target.exits }).toEqual({ stopped: 1, exits: [] });
  });

  it('is nobody else after the handlers were taken away', () => {
    const { target, remove } = setUp(() => Promise.resolve());
    remove();
    expect(target.listenerCount('SIGTERM') + target.listenerCount('SIGINT')).toBe(0);
  });
});
