import { describe, expect, it } from 'vitest';
import { parsePushes } from '../../../cli/environment.ts';
import { exampleRepo, runProcess } from '../../helpers/program/cli.ts';

describe('BACKTRAIL_PUSHES_PER_MINUTE', () => {
  it('is a positive number, or no limit where it is empty', () => {
    expect(['', ' ', '6', '006', '100000'].map(parsePushes)).toEqual([null, null, 6, 6, 100_000]);
  });

  it.each(['0', '-1', '1.5', 'six', '1e3', '10000000'])('is refused as "%s"', (text) => {
    expect(() => parsePushes(text)).toThrowError(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });

  it('that is no number stops a worker before it starts, and leaves help alone', async () => {
    const repo = await exampleRepo();
    const env = { BACKTRAIL_PUSHES_PER_MINUTE: 'six', REDIS_URL: 'redis://127.0.0.1:1' };
    const refused = await runProcess(repo, ['worker'], { env });
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('PUSHES_PER_MINUTE') as unknown,
    });
    expect(await runProcess(repo, ['worker', '--help'], { env })).toMatchObject({ code: 0 });
  });

  it('and an address of Redis that is none stops it as well, without repeating it', async () => {
    const repo = await exampleRepo();
    const env = { REDIS_URL: 'redis-sentinel://jane:hunter2@127.0.0.1:1' };
    const refused = await runProcess(repo, ['worker'], { env });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('Sentinels') as unknown });
    expect(JSON.stringify(refused)).not.toMatch(/jane|hunter2/);
  });
});
