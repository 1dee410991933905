/** Hints over HTTP: those of the failure table, and those that the source says in other words. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BacktrailError, FAILURES, type FailureCode } from '../../../engine/index.ts';
import { httpHint, isForCallers, OPERATORS } from '../../../server/hints.ts';

/** Spoken where the server runs, before anybody can call it, or by commands that a server does not have. */
const ELSEWHERE = [
  /^engine\/(?:audit\/export|doctor|git|hosts|init|render)\//,
  /^engine\/model\/failure\.ts$/,
  /^server\/(?:execution|index|problem|settings|tokens)/,
  /^workers\/(?:checkup|payload)\.ts/,
];

/** Of files whose hints have a sentence of their code. */
const CODES: Readonly<Record<string, FailureCode>> = {
  'engine/requests/context.ts': 'FORBIDDEN',
  'engine/requests/gate/gate.ts': 'IDENTITY_UNVERIFIED',
};

async function hintsOf(folder: string): Promise<{ readonly file: string; readonly hint: string }[]> {
  const files = await readdir(folder, { recursive: true });
  const found = await Promise.all(
    files
      .filter((file) => file.endsWith('.ts'))
      .map(async (name) => {
        const file = join(folder, name);
        const text = await readFile(file, 'utf8');
        return [...text.matchAll(/hint:\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"([^"]*)")/g)].map(
          ([, one, two, three]) => ({
            file,
            // A name that is put in stands for any.
            hint: (one ?? two ?? three ?? '')
              .replaceAll('\\`', '`')
              .replace(/\$\{[^}]*\}/g, 'rbk-0123456789ABCDEFGHJKMNPQRS'),
          }),
        );
      }),
  );
  return found.flat().filter(({ file }) => !ELSEWHERE.some((each) => each.test(file)));
}

describe('a hint over HTTP', () => {
  it('names no command and no option for any code of the table', () => {
    const codes = Object.keys(FAILURES).filter((code): code is FailureCode => code in FAILURES);
    const left = codes.filter((code) => !isForCallers(code, httpHint(code, FAILURES[code].hint)));
    expect(left).toEqual([]);
    const unneeded = [...OPERATORS].filter((code) => !/ --|backtrail |git /.test(FAILURES[code].hint));
    expect(unneeded).toEqual([]);
  });

  it('says the same by another word wherever the engine says it in its own', async () => {
    const all = (await Promise.all(['engine', 'server', 'workers'].map(hintsOf))).flat();
    expect(all.length).toBeGreaterThan(80);
    const fallback = httpHint('GIT_FAILED', '`backtrail nothing`');
    const lost = all
      .map(({ file, hint }) => ({ file, hint, said: httpHint(CODES[file] ?? 'GIT_FAILED', hint) }))
      .filter(({ said }) => said === fallback);
    expect(lost.map(({ file, hint }) => `${file}: ${hint}`)).toEqual([]);
  });

  it.each<[BacktrailError['code'], string, string]>([
    ['TARGET_ABSENT', FAILURES.TARGET_ABSENT.hint, '"allowRemoval": true'],
    ['WINDOW_CLOSED', FAILURES.WINDOW_CLOSED.hint, '"override": ["WINDOW_CLOSED"]'],
    ['REQUEST_UNKNOWN', FAILURES.REQUEST_UNKNOWN.hint, 'GET /api/v1/rollbacks'],
    ['PLAN_CHANGED', 'Look at it with `backtrail request plan rbk-X`.', 'GET /api/v1/rollbacks/rbk-X/plan'],
    ['REVISION_INVALID', FAILURES.REVISION_INVALID.hint, FAILURES.REVISION_INVALID.hint],
  ])('of %s', (code, hint, said) => expect(httpHint(code, hint)).toContain(said));
});
