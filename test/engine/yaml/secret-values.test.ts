import { describe, expect, it } from 'vitest';
import { secretValues } from '../../../engine/yaml/mask/secret-values.ts';

describe('the values of secret variables', () => {
  it.each([
    ['at the top', 'DB_PASSWORD: hunter2\nLOG_LEVEL: debug\n', ['hunter2']],
    ['of a service', 'services: { api: { TOKEN: "hunter2" } }\n', ['hunter2']],
    ['through an alias', 'x: &x hunter2\nTOKEN: *x\n', ['hunter2']],
    ['as written and as read', 'PIN: 007700\n', ['7700', '007700']],
    ['line by line', 'TOKEN: |\n  hunter2\n  hunter3\n', ['hunter2', 'hunter3']],
    ['with what JSON escapes', String.raw`TOKEN: 'hun"ter2'`, ['hun"ter2', String.raw`hun\"ter2`]],
    ['of a text that does not parse', 'TOKEN: "hunter2" # x\nTOKEN: [\n', ['hunter2']],
  ])('are found %s', (_, text, wanted) => {
    expect([...secretValues(text)]).toEqual(wanted);
  });

  it('are none where they are too short, or no secret', () => {
    expect([
      ...secretValues('TOKEN: abc\nAUTH: false\nPASSWORD: null\nSECRET: ""\nSECRET_NAME: hunter2\n'),
    ]).toEqual([]);
  });

  it('are found under an alias bomb in no time', () => {
    const bomb = Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    expect([...secretValues(`a0: &a0 [hunter2]\n${bomb.join('\n')}\nTOKEN: *a40\n`)]).toEqual(['hunter2']);
  });
});
