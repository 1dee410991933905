import { describe, expect, it } from 'vitest';
import { shareEngines } from '../../cli/shared-engines.ts';
import { engineOf } from '../helpers/repositories/engine.ts';
import { createRepo } from '../helpers/repositories/repo.ts';

/** One whose closing is counted. */
async function counting() {
  const repo = await createRepo();
  const counted = { opened: 0, closed: 0 };
  const share = shareEngines(async () => {
    counted.opened += 1;
    const engine = await engineOf(repo);
    const close = async () => {
      counted.closed += 1;
      await engine.close();
    };
    return { ...engine, close };
  });
  return { share, counted };
}

describe('engines that several share', () => {
  it('are opened once, and closed with the last who has them', async () => {
    const { share, counted } = await counting();
    const [one, other] = await Promise.all([share('repo'), share('repo')]);
    expect(one.engine).toBe(other.engine);
    await one.release();
    expect(counted).toEqual({ opened: 1, closed: 0 });
    await other.release();
    expect(counted).toEqual({ opened: 1, closed: 1 });
    await (await share('repo')).release();
    expect(counted).toEqual({ opened: 2, closed: 2 });
  });

  it('are opened anew where one is broken, while others keep what they have', async () => {
    const { share, counted } = await counting();
    const [one, other] = [await share('repo'), await share('repo')];
    await one.release(true);
    const next = await share('repo');
    expect(next.engine).not.toBe(other.engine);
    expect(counted).toEqual({ opened: 2, closed: 0 });
    await Promise.all([other.release(), next.release()]);
    expect(counted).toEqual({ opened: 2, closed: 2 });
  });

  it('are not kept where they cannot be opened', async () => {
    let opened = 0;
    const share = shareEngines(() => {
      opened += 1;
      return Promise.reject(new Error('It is away.'));
    });
    await expect(share('repo')).rejects.toThrow('It is away.');
    await expect(share('repo')).rejects.toThrow('It is away.');
    expect(opened).toBe(2);
  });
});
