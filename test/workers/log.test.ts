import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BacktrailError } from '../../engine/model/index.ts';
import { recordingLogger } from '../helpers/queue/queue.ts';

const lineSchema = z.record(z.string(), z.unknown());

describe('the log of a worker', () => {
  it('is one JSON object a line with level, time, name and what was said', () => {
    const { logger, lines } = recordingLogger();
    logger.child({ requestId: 'rbk-1' }).info({ step: 'staged', durationMs: 12 }, 'step staged done');
    expect(lineSchema.parse(JSON.parse(lines[0] ?? ''))).toMatchObject({
      level: 'info',
      name: 'backtrail',
      requestId: 'rbk-1',
      step: 'staged',
      durationMs: 12,
      msg: 'step staged done',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
    });
  });

  it('shows a known failure by code and sentence, without its stack and details', () => {
    const { logger, lines } = recordingLogger();
    const err = new BacktrailError('PLAN_CHANGED', 'It changed.', { details: { value: 'of a secret' } });
    logger.error({ err }, 'failed');
    expect(lines[0]).toContain('"code":"PLAN_CHANGED"');
    expect(lines[0]).not.toMatch(/stack|of a secret/);
  });

  it('shows an unforeseen error by its first line and its places, without what a parser quotes', () => {
    const { logger, lines } = recordingLogger();
    logger.error({ err: new SyntaxError('Bad map at line 3\n\npassword: hunter2\n^^^') }, 'failed');
    expect(lines[0]).toContain('Bad map at line 3');
    expect(lines[0]).toContain('log.test.ts');
    expect(lines[0]).not.toContain('hunter2');
  });

  it('holds no credentials, wherever they stand', () => {
    const { logger, lines } = recordingLogger();
    logger.warn(
      {
        repo: 'https://jane:hunter2@example.com/x.git',
        password: 'hunter2',
        redis: { password: 'hunter2' },
        err: new Error('connect redis://:hunter2@10.0.0.1:6379'),
        config: { text: 'hunter2' },
      },
      'git push https://hunter2@example.com/x.git with Authorization: Bearer hunter2',
    );
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines[0]).toContain('https://***@example.com/x.git');
    expect(() => lineSchema.parse(JSON.parse(lines[0] ?? ''))).not.toThrow();
  });
});
