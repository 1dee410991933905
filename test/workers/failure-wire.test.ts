import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BacktrailError, FAILURES } from '../../engine/model/index.ts';
import type { FailureCode } from '../../engine/model/index.ts';
import { decodeFailure, encodeFailure } from '../../workers/failure-wire.ts';

const codes = Object.keys(FAILURES).filter((code): code is FailureCode => code in FAILURES);
const travel = (error: unknown) => decodeFailure(encodeFailure(error));

describe('a failure on its way through the queue', () => {
  it.each(codes)('keeps the code %s, the sentence, the hint and the details', (code) => {
    const failure = new BacktrailError(code, 'A sentence.', {
      hint: 'A hint.',
      details: { path: 'a/b', lines: [1, 2] },
    });
    expect(travel(failure)).toMatchObject({
      code,
      message: 'A sentence.',
      hint: 'A hint.',
      details: { path: 'a/b', lines: [1, 2] },
    });
  });

  it('loses its stack and its cause', () => {
    const failure = new BacktrailError('GIT_FAILED', 'It failed.', { cause: new Error('inner secret') });
    const text = encodeFailure(failure);
    expect(text).not.toContain('failure-wire.test.ts');
    expect(text).not.toContain('inner secret');
  });

  it('loses credentials wherever they stand', () => {
    const failure = new BacktrailError('REMOTE_DENIED', 'https://jane:hunter2@example.com/x refused.', {
      hint: 'Look at https://jane:hunter2@example.com.',
      details: {
        output: ['Authorization: Bearer abcdef', 'ghp_0123456789abcdef', 'redis://:hunter2@10.0.0.1:6379'],
      },
    });
    const text = encodeFailure(failure);
    expect(text).not.toMatch(/hunter2|abcdef/);
    expect(travel(failure)).toMatchObject({
      code: 'REMOTE_DENIED',
      message: 'https://***@example.com/x refused.',
    });
  });

  it('keeps code and sentence when the details are too long or no JSON', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    for (const details of [cyclic, { big: 1n }, { long: 'x'.repeat(100_000) }])
      expect(travel(new BacktrailError('GIT_FAILED', 'It failed.', { details }))).toMatchObject({
        code: 'GIT_FAILED',
        message: 'It failed.',
        details: {},
      });
  });

  it('becomes INTERNAL where it was no known failure', () => {
    const travelled = travel(new SyntaxError('Unexpected token in "password: hunter2"'));
    expect(travelled).toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('(SyntaxError)') as unknown,
    });
    expect(JSON.stringify(travelled) + String(travelled)).not.toContain('hunter2');
    expect(travel('a string').code).toBe('INTERNAL');
    expect(travel(undefined).code).toBe('INTERNAL');
    expect(decodeFailure('job stalled more than allowable limit')).toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('Every worker that took') as unknown,
    });
  });

  it('is a failure of the table whatever was stored', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(codes).toContain(decodeFailure(text).code);
      }),
    );
    expect(decodeFailure('{"code":"toString","message":"m","hint":"h","details":{}}').code).toBe('INTERNAL');
    expect(decodeFailure('{"code":"__proto__","message":"m","hint":"h","details":{}}').code).toBe('INTERNAL');
  });
});
