import { describe, expect, it } from 'vitest';
import { flux } from '../../../../engine/live/flux.ts';
import { commits, context, found, judged, rule, target } from './seen.ts';

const { before, ours, later, other, unknown } = commits;
const names = { kustomization: '{tenant}-{environment}', helmRelease: null, namespace: 'flux-system' };
const of = target({ rule: rule({ flux: names }) });
const withHelm = target({ rule: rule({ flux: { ...names, helmRelease: '{service}' } }) });

const ready = (status: string, reason: string, message?: string) => ({
  type: 'Ready',
  status,
  reason,
  message,
});
const READY = ready('True', 'ReconciliationSucceeded', 'Applied revision');
const kustomization = (status: object = {}, spec: object = { wait: true }) => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'acme-production', namespace: 'flux-system', generation: 2 },
  spec,
  status: {
    observedGeneration: 2,
    lastAppliedRevision: `main@sha1:${ours}`,
    lastAttemptedRevision: `main@sha1:${ours}`,
    conditions: [READY],
    ...status,
  },
});
const at = (applied: string, attempted = applied, condition: object = READY) => ({
  lastAppliedRevision: `main@sha1:${applied}`,
  lastAttemptedRevision: `main@sha1:${attempted}`,
  conditions: [condition],
});
const judge = async (object: object) => {
  const [observation, ...rest] = await judged(flux, { of, answers: [found(object)] });
  expect(rest).toEqual([]);
  return observation;
};

describe('queries', () => {
  it('asks for what the rule names', async () => {
    expect(await flux.queries(withHelm, context())).toEqual([
      {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        namespace: 'flux-system',
        name: 'acme-production',
      },
      { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', namespace: 'flux-system', name: 'api' },
    ]);
  });

  it('asks for the one whose template gives a name, and tells of the other', async () => {
    const { service: _, ...environment } = withHelm;
    expect(await flux.queries(environment, context())).toHaveLength(1);
    expect(await judged(flux, { of: environment, answers: [found(kustomization())] })).toMatchObject([
      { state: 'live' },
      { state: 'unconfirmed', code: 'NAME_INVALID', object: 'HelmRelease {service}' },
    ]);
    const { tenant: _tenant, ...service } = withHelm;
    expect(await judged(flux, { of: service, answers: [found({})] })).toMatchObject([
      { state: 'unconfirmed', code: 'NAME_INVALID', object: 'Kustomization {tenant}-{environment}' },
      { state: 'unconfirmed', message: expect.stringContaining('Kustomization is not known') },
    ]);
  });
});

describe('a Kustomization', () => {
  it.each([`main@sha1:${ours}`, `sha1:${ours}`, `release/1.2/${ours}`, `refs/tags/v1@sha1:${ours}`])(
    'is live at %s',
    async (revision) => {
      expect(await judge(kustomization({ lastAppliedRevision: revision }))).toMatchObject({
        object: 'Kustomization flux-system/acme-production',
        state: 'live',
        revision: ours,
        message: `Applied and ready at ${ours.slice(0, 8)}.`,
      });
    },
  );

  it('is known by the commit that an OCI artifact was made of', async () => {
    const revision = `latest@sha256:${'9'.repeat(64)}`;
    const oci = { lastAppliedRevision: revision, lastAttemptedRevision: revision };
    expect(await judge(kustomization(oci))).toMatchObject({ state: 'unconfirmed', code: 'REVISION_UNKNOWN' });
    expect(
      await judge(kustomization({ ...oci, lastAppliedOriginRevision: `main@sha1:${ours}` })),
    ).toMatchObject({
      state: 'live',
      revision: ours,
    });
  });

  it('is not live where nobody looks at health', async () => {
    expect(await judge(kustomization({}, {}))).toMatchObject({
      state: 'unconfirmed',
      code: 'HEALTH_UNKNOWN',
      revision: ours,
      message: `${ours.slice(0, 8)} is applied; without \`wait\` or \`healthChecks\` Flux does not see whether it is healthy.`,
    });
    expect(await judge(kustomization({}, { healthChecks: [{ kind: 'Deployment' }] }))).toMatchObject({
      state: 'live',
    });
  });

  it.each([
    ['is before ours', at(before), 'pending', /^It is at bbbbbbbb, which is before the revision\.$/],
    [
      'has applied nothing',
      { lastAppliedRevision: undefined, lastAttemptedRevision: undefined },
      'pending',
      /nothing yet/,
    ],
    ['is at another line', at(other), 'unconfirmed', /another line/],
    ['is at what Git does not have', at(unknown), 'unconfirmed', /does not have/],
    ['is at a later revision', at(later), 'overtaken', /^A later revision \(1a1a1a1a\) runs\.$/],
    ['has tried a later one', at(ours, later, ready('False', 'BuildFailed')), 'overtaken', /later revision/],
    [
      'is applying ours',
      at(before, ours, ready('Unknown', 'Progressing', 'Running health checks')),
      'progressing',
      /^0a0a0a0a is being applied: Running health checks\.$/,
    ],
    ['has not seen its change', { observedGeneration: 1 }, 'progressing', /yet to see/],
    [
      'is not healthy',
      at(before, ours, ready('False', 'HealthCheckFailed', 'timeout waiting for: [Deployment/acme/api]')),
      'degraded',
      /^It is not ready \(HealthCheckFailed\): timeout/,
    ],
    [
      'cannot be built',
      at(before, ours, ready('False', 'BuildFailed', 'no such file')),
      'degraded',
      /BuildFailed/,
    ],
    [
      'cannot be applied',
      at(before, ours, ready('False', 'ReconciliationFailed', 'immutable')),
      'degraded',
      /immutable/,
    ],
    [
      'waits for another',
      at(before, ours, ready('False', 'DependencyNotReady', "dependency 'infra' is not ready")),
      'progressing',
      /DependencyNotReady/,
    ],
    [
      'fails at one before ours',
      at(before, before, ready('False', 'BuildFailed', 'no')),
      'pending',
      /\(BuildFailed\): no\.$/,
    ],
    [
      'has ours, and fails at another',
      at(ours, other, ready('False', 'BuildFailed', 'no')),
      'unconfirmed',
      /is applied, and eeeeeeee is not \(BuildFailed\)/,
    ],
  ] as const)('that %s', async (_, status, state, message) => {
    expect(await judge(kustomization(status))).toMatchObject({
      state,
      message: expect.stringMatching(message),
    });
  });

  it.each([
    [before, 'pending'],
    [ours, 'unconfirmed'],
    [later, 'overtaken'],
    [other, 'unconfirmed'],
  ])('that is suspended at %s', async (revision, state) => {
    expect(await judge(kustomization(at(revision), { suspend: true, wait: true }))).toMatchObject({ state });
  });

  it.each([
    {},
    { spec: 1, status: [] },
    { metadata: { generation: 'x' }, status: { conditions: 'x', lastAppliedRevision: {} } },
    { status: { conditions: [null, { type: 'Ready', status: 'True' }] } },
  ])('is understood for what it is: %j', async (object) => {
    expect((await judge(object))?.state).toBe('pending');
  });

  it('is not confirmed where it is missing or could not be asked', async () => {
    const problem = { code: 'CLUSTER_DENIED', message: 'prod-eu forbids it.' } as const;
    expect(await judged(flux, { of, answers: [{ objects: null, problem }] })).toMatchObject([
      { state: 'unconfirmed', ...problem },
    ]);
    expect(await judged(flux, { of, answers: [found()] })).toMatchObject([
      {
        state: 'unconfirmed',
        code: 'OBJECT_MISSING',
        message:
          'There is no Kustomization flux-system/acme-production, which the template {tenant}-{environment} of `live` names.',
      },
    ]);
  });
});

describe('a HelmRelease', () => {
  const release = (status: object = {}, spec: object = {}) => ({
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name: 'api', namespace: 'flux-system', generation: 3 },
    spec,
    status: {
      observedGeneration: 3,
      history: [{ chartVersion: '1.4.0' }],
      conditions: [ready('True', 'UpgradeSucceeded', 'Helm upgrade succeeded')],
      ...status,
    },
  });
  const judgeBoth = async (object: object, above: object = kustomization({}, {})) => {
    const [, observation] = await judged(flux, { of: withHelm, answers: [found(above), found(object)] });
    return observation;
  };
  const conditions = (...all: object[]) => ({ conditions: all });

  it('is live at the commit of its Kustomization', async () => {
    expect(await judgeBoth(release())).toMatchObject({
      object: 'HelmRelease flux-system/api',
      state: 'live',
      revision: ours,
      message: 'Released, chart 1.4.0: Helm upgrade succeeded.',
    });
  });

  it.each([
    ['is before ours', kustomization(at(before)), 'pending'],
    ['is at a later one', kustomization(at(later)), 'overtaken'],
    ['is at another line', kustomization(at(other)), 'unconfirmed'],
  ])('is not believed where its Kustomization %s', async (_, above, state) => {
    expect(await judgeBoth(release(), above)).toMatchObject({ state });
  });

  it('is looked at where the Kustomization says that it is not healthy', async () => {
    const above = kustomization(at(before, ours, ready('False', 'HealthCheckFailed')));
    expect(
      await judgeBoth(
        release(conditions({ type: 'Released', status: 'False', reason: 'UpgradeFailed', message: 'no' })),
        above,
      ),
    ).toMatchObject({
      state: 'degraded',
      message: 'The release failed (UpgradeFailed): no.',
    });
  });

  it.each([
    [
      'was undone',
      conditions(READY, {
        type: 'Remediated',
        status: 'True',
        reason: 'RollbackSucceeded',
        message: 'rolled back',
      }),
      'degraded',
      'Helm undid the release: rolled back.',
    ],
    [
      'has failing tests',
      conditions(READY, { type: 'TestSuccess', status: 'False', reason: 'TestFailed' }),
      'degraded',
      'The release failed (TestFailed).',
    ],
    [
      'was given up',
      conditions(ready('False', 'x'), { type: 'Stalled', status: 'True', reason: 'RetriesExceeded' }),
      'degraded',
      'The release failed (RetriesExceeded).',
    ],
    [
      'failed',
      conditions(ready('False', 'InstallFailed', 'timed out')),
      'degraded',
      'The release is not ready (InstallFailed): timed out.',
    ],
    [
      'waits for its chart',
      conditions(ready('False', 'SourceNotReady')),
      'progressing',
      'The release is not ready (SourceNotReady).',
    ],
    [
      'has not seen its change',
      { observedGeneration: 2 },
      'progressing',
      'Flux has yet to see how the HelmRelease was changed.',
    ],
    ['says nothing', { conditions: {} }, 'progressing', 'The release is not ready.'],
  ] as const)('that %s', async (_, status, state, message) => {
    expect(await judgeBoth(release(status))).toMatchObject({ state, message });
  });

  it('is not live where Helm was told not to wait, and not where it is suspended', async () => {
    expect(await judgeBoth(release({}, { install: { disableWait: true } }))).toMatchObject({
      state: 'unconfirmed',
      code: 'HEALTH_UNKNOWN',
    });
    expect(await judgeBoth(release({ history: [{}, {}] }, { install: { disableWait: true } }))).toMatchObject(
      {
        state: 'live',
      },
    );
    expect(await judgeBoth(release({}, { suspend: true }))).toMatchObject({
      state: 'unconfirmed',
      code: 'SUSPENDED',
    });
    expect(await judgeBoth(release({ observedGeneration: 1 }, { suspend: true }))).toMatchObject({
      state: 'pending',
    });
  });
});
