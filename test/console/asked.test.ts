/** What the wizard reads from its address, and writes into it. */
import { describe, expect, it } from 'vitest';
import { differencesOf, partsOf } from '../../console/plan/compared.ts';
import { askOf, askPath, bodyOf, lineOf } from '../../console/wizard/ask.ts';

const NAMES = { tenant: 'acme', environment: 'prod', service: 'api' };

describe('the address of the wizard', () => {
  it('begins at the scope, with the mode that the names have', () => {
    expect(askOf(NAMES, 'to=v2')).toMatchObject({ step: 'scope', mode: 'service', to: 'v2' });
    expect(askOf({ ...NAMES, service: null }, 'step=nowhere&mode=all')).toMatchObject({
      step: 'scope',
      mode: 'full',
    });
  });

  it('says all that was chosen, whatever is in it', () => {
    const search =
      'step=preview&mode=field&to=v2&field=a%26b.yaml%23%2Fx&field=c%23%2Fy&override=IN_FLIGHT&removal=yes&whole=yes&hold=yes&for=7d&follows=rbk-1&plan=sha256%3A1';
    const ask = askOf(NAMES, search);
    expect(ask.fields).toEqual(['a&b.yaml#/x', 'c#/y']);
    expect(askPath(ask)).toBe(`/e/acme/prod/api/rollback?${search}`);
    expect(askOf(NAMES, askPath(ask, { hold: 'no' }).split('?')[1] ?? '')).toMatchObject({
      hold: 'no',
      holdFor: '',
    });
  });

  it('asks for nothing until all is chosen, and for fields at a commit', () => {
    expect(bodyOf(askOf(NAMES, ''))).toBeNull();
    expect(bodyOf(askOf(NAMES, 'mode=field&to=v2'))).toBeNull();
    const ask = askOf({ ...NAMES, tenant: '-' }, 'mode=field&to=v2&field=a%23%2Fx&hold=no');
    expect(bodyOf(ask, 'c0ffee')).toEqual({
      environment: 'prod',
      service: 'api',
      mode: 'field',
      target: 'c0ffee',
      selectedFields: ['a#/x'],
      hold: false,
    });
    expect(lineOf(ask, { target: 'c0ffee', reason: "it's down" })).toBe(
      String.raw`backtrail rollback prod/api --to c0ffee --field 'a#/x' --no-hold --reason 'it'\''s down'`,
    );
  });
});

describe('two plans of a rollback', () => {
  const planOf = (after: string, ...paths: readonly string[]) =>
    partsOf({
      manifests: [],
      changes: [
        {
          service: 'api',
          files: paths.map((path) => ({
            path,
            change: 'modified',
            fields: [{ selector: '/x', op: 'replace', before: '1', after }],
          })),
        },
      ],
    });

  it('differ by what is changed too, otherwise, or not any more', () => {
    expect(differencesOf(planOf('2', 'a', 'b'), planOf('2', 'a', 'b'))).toEqual([]);
    expect(differencesOf(planOf('2', 'a', 'b'), planOf('3', 'b', 'c'))).toEqual([
      'b#/x is changed in another way.',
      'c#/x is changed too.',
      'a#/x is not changed any more.',
    ]);
  });
});
