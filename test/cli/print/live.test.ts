import { describe, expect, it } from 'vitest';
import { driftText } from '../../../cli/print/live/drift.ts';
import { statusText, waitingText } from '../../../cli/print/live/status.ts';
import { makeStyle } from '../../../cli/print/style.ts';
import type { DriftObject, LiveStatus, Observation } from '../../../engine/model/index.ts';

const COMMIT = '3f2c9ab'.padEnd(40, '0');
const plain = makeStyle(false);

const observation = (more: Partial<Observation> = {}): Observation => ({
  source: 'argocd',
  cluster: 'prod-eu',
  object: 'Application argocd/acme-production-api',
  state: 'live',
  revision: COMMIT,
  message: 'Synced and Healthy at 3f2c9ab0.',
  observedAt: '2026-11-20T10:00:30.000Z',
  ...more,
});
const status = (...live: readonly Observation[]): LiveStatus => ({
  scope: 'acme/production/api',
  desired: { commit: COMMIT, version: 12 },
  state: 'degraded',
  live,
});

describe('whether it is live', () => {
  it('is one line, and a table of who says so', () => {
    const crash = observation({
      source: 'kubernetes',
      object: 'Deployment acme/api',
      state: 'degraded',
      revision: null,
      message: '1 of 3 pods is ready; api-7d: CrashLoopBackOff.',
    });
    expect(`\n${statusText(plain, status(observation(), crash))}\n`).toBe(`
acme/production/api  v12 (3f2c9ab)  degraded: the clusters have it, and it is not well

state     source      cluster  object                                  revision  seen (UTC)  message
live      argocd      prod-eu  Application argocd/acme-production-api  3f2c9ab   10:00:30    Synced and Healthy at 3f2c9ab0.
degraded  kubernetes  prod-eu  Deployment acme/api                               10:00:30    1 of 3 pods is ready; api-7d: CrashLoopBackOff.
`);
  });

  it('fits a narrow terminal', () => {
    const text = statusText(makeStyle(false, { columns: 60 }), status(observation()));
    expect(
      text
        .split('\n')
        .slice(1)
        .every((line) => line.length <= 60),
    ).toBe(true);
    expect(text).toContain('Not shown here: ');
  });

  it('says while it is waited for what the state is about', () => {
    const seen = status(
      observation(),
      observation({ state: 'degraded', object: 'Pod acme/x', message: 'It\ncrashes.' }),
    );
    expect(waitingText(seen)).toBe('degraded  Pod acme/x: It crashes.');
    expect(waitingText(status())).toBe('degraded');
  });

  it('lets no cluster write to the terminal', () => {
    const hostile = '\u001b[2J\u202e\u0007\nv99 is live';
    const text = statusText(
      plain,
      status(observation({ object: hostile, message: hostile, revision: hostile })),
    );
    // oxlint-disable-next-line no-control-regex -- that is what is looked for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text.split('\n')).toHaveLength(4);
  });
});

describe('drift', () => {
  const object = (more: Partial<DriftObject> = {}): DriftObject => ({
    cluster: 'prod-eu',
    kind: 'Deployment',
    namespace: 'acme',
    name: 'api',
    state: 'same',
    fields: [],
    ...more,
  });
  const text = (style: typeof plain, ...objects: readonly DriftObject[]) =>
    driftText(style, { scope: 'acme/production', commit: COMMIT, objects });

  it('is counted, and told field by field', () => {
    const differs = object({
      state: 'differs',
      fields: [
        { path: '/spec/replicas', desired: 3, live: 7 },
        { path: '/spec/template/spec/containers/[name=api]/args', desired: ['--level', 'info'] },
        { path: '/data/empty', desired: '', live: 'x'.repeat(500) },
      ],
    });
    const secret = object({ kind: 'Secret', state: 'unchecked', message: 'Secrets are never read.' });
    const shown = text(
      plain,
      object({ name: 'web' }),
      differs,
      object({ namespace: null, state: 'missing' }),
      secret,
    );
    expect(`\n${shown.replace(/x{100,}/, 'x…x')}\n`).toBe(`
acme/production  3f2c9ab  1 differs, 1 missing, 1 unchecked, 1 same

differs  Deployment acme/api  in prod-eu
  /spec/replicas is 7, declared 3
  /spec/template/spec/containers/[name=api]/args is nothing, declared ["--level","info"]
  /data/empty is x…x…, declared ""

missing  Deployment api  in prod-eu

unchecked  Secret acme/api  in prod-eu
  Secrets are never read.
`);
  });

  it('names so many that could not be checked, and all with --full', () => {
    const unchecked = Array.from({ length: 30 }, (_, at) =>
      object({ name: `api-${at}`, state: 'unchecked' }),
    );
    expect(text(plain, ...unchecked)).toContain('… 10 more could not be checked; --full shows all');
    expect(text(makeStyle(false, { full: true }), ...unchecked)).toContain('api-29');
  });

  it('says so where there is nothing to compare', () => {
    expect(text(plain)).toBe('acme/production  3f2c9ab  there are no manifests to compare');
  });
});
