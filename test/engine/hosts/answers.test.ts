import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { line, readAnswer, readOurs, refusal, webUrl } from '../../../engine/hosts/answers.ts';
import { createScrubber } from '../../../engine/hosts/scrub.ts';

const scrubber = createScrubber();
scrubber.add('Bearer glpat-0123456789');
const HOST = { name: 'git.example.com', scrub: scrubber.scrub };

describe('what a host answers', () => {
  it.each([
    [
      { message: 'Validation Failed', errors: [{ code: 'custom', message: 'No commits' }] },
      'Validation Failed, No commits',
    ],
    [{ message: ['Another one is open', 'twice'] }, 'Another one is open, twice'],
    [{ message: { base: ['is locked'] } }, 'is locked'],
    [
      { error: 'insufficient_scope', error_description: 'More is needed' },
      'insufficient_scope, More is needed',
    ],
    [{ message: 'not glpat-0123456789' }, 'not ***'],
    ['<html><title>502</title>', ''],
    ['Retry later\n', 'Retry later'],
    [null, ''],
  ])('%j is told as %j', (data, said) => {
    expect(refusal(HOST, 422, data).message).toBe(
      said === '' ? 'git.example.com refuses it (422).' : `git.example.com refuses it (422): ${said}`,
    );
  });

  it('is told in one short line without control characters and without the token, whatever it is', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '\n', '\u001b', '\u202e', '\u2028', '<', 'glpat-0123456789'),
    });
    const key = fc.constantFrom('message', 'error', 'errors', 'other');
    const { tree: data } = fc.letrec((tie) => ({
      tree: fc.oneof({ depthSize: 'small' }, text, fc.array(tie('tree')), fc.dictionary(key, tie('tree'))),
    }));
    fc.assert(
      fc.property(data, fc.constantFrom(400, 401, 403, 404, 409, 422, 500), (body, status) => {
        const { message } = refusal(HOST, status, body);
        expect(message).toMatch(/^[^\p{Cc}\p{Cf}\u2028\u2029]{1,400}$/u);
        expect(message).not.toContain('glpat-0123456789');
      }),
    );
  });

  it('is used only where it has its form', () => {
    const schema = z.object({ url: webUrl, name: line });
    const read = (url: string, name = 'a') => readAnswer(HOST, schema, { url, name });
    expect(read('https://git.example.com/acme/config/pull/1').name).toBe('a');
    for (const url of [
      'javascript:alert(1)',
      'ftp://a',
      '//a',
      'https://a:b@c',
      'https://a/\nb',
      '',
      `https://a/${'b'.repeat(2000)}`,
    ])
      expect(() => read(url)).toThrow(/cannot be read \(url\)/);
    for (const name of ['a\nb', 'a\u0000', 'a\u2028', 'a'.repeat(1001)])
      expect(() => read('https://a', name)).toThrow(/cannot be read \(name\)/);
  });

  it('is ours where its key says so, and what others put beside it need have no form', () => {
    const how = {
      key: z.object({ of: z.string() }),
      isOurs: ({ of }: { of: string }) => of === 'us',
      schema: z.object({ id: z.number() }),
    };
    expect(readOurs(HOST, [null, 1, {}, { of: 'them', id: 'x' }, { of: 'us', id: 2 }], how)).toEqual([
      { id: 2 },
    ]);
    expect(() => readOurs(HOST, [{ of: 'us', id: 'x' }], how)).toThrow(/cannot be read/);
    expect(() => readOurs(HOST, { of: 'us' }, how)).toThrow(/cannot be read/);
  });
});
