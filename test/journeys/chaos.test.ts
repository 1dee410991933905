import { join } from 'node:path';
import { expect, it } from 'vitest';
import { chaos } from '../../scripts/chaos/chaos.ts';
import { newState, readState } from '../../scripts/chaos/state.ts';
import { builtMain, compiled } from '../helpers/program/compiled.ts';
import { temporaryFolder } from '../helpers/repositories/repo.ts';
import { hasNativeRedis } from '../helpers/servers/redis.ts';
import { runs } from '../helpers/run/proof.ts';

const rollbacks = runs(200, 12);

// Without a Redis that can be killed by itself there is nothing to lose.
it.skipIf(!hasNativeRedis)(
  `${rollbacks} rollbacks land once each, whatever breaks meanwhile (needs redis-server)`,
  async () => {
    const folder = join(await temporaryFolder());
    const state = newState({ seed: 20_261_128, rollbacks, workers: 2, pace: 0.3 });
    const report = await chaos({
      folder,
      state,
      program: builtMain(),
      opener: compiled('scripts/chaos/opener.ts'),
      say: () => undefined,
    });
    expect(report.problems).toEqual([]);
    const { completed = 0, ...others } = report.ends;
    expect(completed).toBeGreaterThan(rollbacks * 0.9);
    expect(completed + Object.values(others).reduce((sum, count) => sum + count, 0)).toBe(rollbacks);
    expect(report.troubles).toBeGreaterThan(0);
    expect(readState(folder)).toMatchObject({ opened: rollbacks, starts: 1 });
  },
);
