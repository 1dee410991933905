import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodePath,
  encodePath,
  escapePath,
  isSafeName,
  isSafePath,
  quotePath,
  unquotePath,
} from '../../../engine/model/index.ts';
import { runs } from '../../helpers/run/proof.ts';

/** Bytes among which broken, cut and overlong sequences are common. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      fc.constantFrom(
        ...['a', 'é', '€', '𝒳', '\ufeff', '/', '"'].map((text) => new TextEncoder().encode(text)),
        ...[
          [0xc0, 0xaf],
          [0xed, 0xa0, 0x80],
          [0xed, 0xb3, 0xbf],
          [0xf4, 0x90, 0x80, 0x80],
          [0xe2, 0x82],
        ].map((list) => Uint8Array.from(list)),
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

describe('names as text', () => {
  it('gives every name back byte for byte, and two names never the same text', () => {
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        expect(encodePath(decodePath(one))).toEqual(one);
        expect(decodePath(one) === decodePath(other)).toBe(Buffer.compare(one, other) === 0);
      }),
      { numRuns: runs(2_000, 500) },
    );
  });

  it('leaves UTF-8 as it is, and marks exactly the bytes that git calls no UTF-8', () => {
    fc.assert(
      fc.property(bytes, (name) => {
        const text = decodePath(name);
        const replaced = text.replace(/[\udc80-\udcff]/gu, '');
        const kept = Buffer.from(name).toString('utf8').replaceAll('\ufffd', '');
        expect(replaced.replaceAll('\ufffd', '')).toBe(kept);
      }),
      { numRuns: runs(2_000, 500) },
    );
    expect(decodePath(Buffer.from('caf\xe9', 'latin1'))).toBe('caf\udce9');
    // An encoded surrogate is no UTF-8: its bytes stay apart from the byte that such a surrogate stands for.
    expect(decodePath(Uint8Array.of(0xed, 0xb3, 0xa9))).toBe('\udced\udcb3\udca9');
  });

  it('survives JSON', () => {
    fc.assert(
      fc.property(bytes, (name) => {
        const json = Buffer.from(JSON.stringify(decodePath(name)));
        const parsed: unknown = JSON.parse(json.toString());
        expect(encodePath(String(parsed))).toEqual(name);
      }),
    );
  });

  it('is quoted as git quotes it, wherever a line could not hold it as it is', () => {
    expect(quotePath('a b/ü-c.yaml')).toBe('a b/ü-c.yaml');
    expect(quotePath('caf\udce9')).toBe('"caf\\351"');
    expect(quotePath('a"b\\c\n\u001b[31m\u007f\t')).toBe('"a\\"b\\\\c\\n\\033[31m\\177\\t"');
    expect(quotePath('\u202etxt.exe')).toBe('"\\342\\200\\256txt.exe"');
    fc.assert(
      fc.property(bytes, (name) => {
        expect(unquote(escapePath(decodePath(name)))).toEqual(Buffer.from(name));
      }),
      { numRuns: runs(1_000, 250) },
    );
  });
});

describe('safe names', () => {
  it.each([
    ' a',
    'a ',
    '-a',
    ':(glob)a',
    '*',
    '?[a]',
    'a\\b',
    '\\',
    '"',
    'a\nb',
    'a\tb',
    'caf\udce9',
    'git~a',
    '…',
    '\udcff',
  ])('allows %j', (name) => expect(isSafeName(name)).toBe(true));

  it.each(
    [
      ['', '.', '..', '. ', '...', 'a\0b', '.git', '.GIT', '.git ', '.git.', '.git:x', 'git~1', 'GIT~2'],
      ['a\\..', '..\\a', 'a\\.git\\b', '.git\\config', '.g\u200cit', '.\u200c.', '.git\udcff'],
      // Not as decodePath writes them: these would pass for other names than they are.
      ['\ud800', 'a\udfff', '\udcc3\udca9', '.g\udce2\udc80\udc8cit'],
    ].flat(),
  )('refuses %j', (name) => {
    expect(isSafeName(name)).toBe(false);
    expect(isSafePath(`a/${name}/b`)).toBe(false);
  });

  it('are of one path component', () => {
    expect(isSafeName('a/b')).toBe(false);
    expect(isSafePath('a/b')).toBe(true);
    expect(isSafePath('/a')).toBe(false);
  });
});

/** How C reads what stands between quotes. */
function unquote(text: string): Buffer {
  const names = 'abtnvfr"\\';
  const values = [7, 8, 9, 10, 11, 12, 13, 34, 92];
  const parts = text.match(/\\(?:[0-7]{3}|.)|[^\\]+/gs) ?? [];
  return Buffer.concat(
    parts.map((part) => {
      if (!part.startsWith('\\')) return Buffer.from(part);
      const value = /^\\\d/.test(part)
        ? Number.parseInt(part.slice(1), 8)
        : values[names.indexOf(part[1] ?? '')];
      return Buffer.of(value ?? 0);
    }),
  );
}

describe('a quoted path', () => {
  it('is read back to the byte, with what follows it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.string(), (bytes, rest) => {
        const path = decodePath(bytes);
        expect(unquotePath(`"${escapePath(path)}"${rest}`)).toEqual({ path, rest });
      }),
    );
  });

  it.each(['caf.yaml', '"open', '"a\\x"', '"\\777"', ''])('is not what %j is', (text) => {
    expect(unquotePath(text)).toBe(null);
  });
});
