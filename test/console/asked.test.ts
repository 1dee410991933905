/** What the wizard reads from its address, and writes into it. */
import { describe, expect, it } from 'vitest';
import { differencesOf, partsOf } from '../../console/plan/compared.ts';
import { sentenceOf } from '../../console/plan/reach.ts';
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

describe('the command line of the wizard', () => {
  const lineAt = (search: string, said = {}) => lineOf(askOf(NAMES, search), said);

  it('names the revision always, and is not there before a field is ticked', () => {
    expect(lineAt('')).toBe('backtrail rollback acme/prod/api --to previous');
    expect(lineAt('to=v2')).toBe('backtrail rollback acme/prod/api --to v2');
    expect(lineAt('mode=field&to=v2')).toBeNull();
    expect(lineAt('mode=field&field=a%23%2Fx')).toBeNull();
    expect(lineAt('mode=field&to=v2&field=a%23%2Fx')).toBe(
      "backtrail rollback acme/prod/api --to v2 --field 'a#/x'",
    );
  });

  it('does what would be done, in the place of a request that failed too', () => {
    const search = 'to=v2&override=DESTRUCTIVE&removal=yes&whole=yes&hold=yes&for=7d';
    expect(lineAt(search, { reason: 'bad' })).toBe(
      'backtrail rollback acme/prod/api --to v2 --allow-removal --whole-file --hold --hold-for 7d --override DESTRUCTIVE --reason bad',
    );
    expect(lineAt('to=v2&follows=rbk-1&override=IN_FLIGHT')).toBe(
      'backtrail request retry rbk-1 --to v2 --override IN_FLIGHT',
    );
  });

  it('only looks where somebody may not ask', () => {
    expect(lineAt('to=v2', { mayAsk: false, reason: 'bad' })).toBe('backtrail plan acme/prod/api --to v2');
  });
});

describe('how far a rollback reaches', () => {
  const file = { path: 'a', change: 'modified' as const };
  const planOf = (more: object = {}) => ({
    changes: [{ service: 'api', files: [{ ...file, fields: [{ selector: '/x', op: 'replace' as const }] }] }],
    findings: [],
    impact: { services: ['api'], bindings: [], variables: [], files: 1, fields: 5 },
    manifests: [],
    target: 'c0ffee',
    targetVersion: 2,
    unchanged: false,
    ...more,
  });

  it('is said in numbers, with what goes away', () => {
    expect(sentenceOf(planOf())).toBe('To v2: 1 service, 1 file, 5 fields; removes nothing.');
    const files = [
      { ...file, change: 'removed' as const },
      { ...file, fields: [{ selector: '/x', op: 'remove' as const }] },
    ];
    expect(sentenceOf(planOf({ changes: [{ service: null, files }], manifests: [file] }))).toBe(
      'To v2: 1 service, 1 file, 5 fields, 1 manifest; removes 1 file and 1 field.',
    );
    expect(sentenceOf(planOf({ unchanged: true, targetVersion: null }))).toBe(
      'To c0ffee: nothing would change.',
    );
    expect(sentenceOf(planOf(), true)).toBe(
      'To v2: 5 fields can be chosen, and as many go back as you tick.',
    );
  });

  it('says what is removed only if somebody says so, and that a check blocks it', () => {
    const absent = { code: 'TARGET_ABSENT', severity: 'block' as const, message: '' };
    expect(sentenceOf(planOf({ findings: [{ ...absent, remedy: 'allow-removal' }] }))).toMatch(
      /; some of it did not exist then, and is removed only if you say so\. A check blocks it\.$/,
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
