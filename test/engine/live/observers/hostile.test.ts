import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argocd } from '../../../../engine/live/argocd.ts';
import { flux } from '../../../../engine/live/flux.ts';
import { kubernetes } from '../../../../engine/live/kubernetes.ts';
import { observeTargets } from '../../../../engine/live/observe.ts';
import type { ClusterAnswer } from '../../../../engine/model/index.ts';
import { clusterObjects } from '../../../helpers/cluster/cluster-objects.ts';
import { deployment } from '../../../helpers/cluster/objects/manifests.ts';
import { releaseOf } from '../../../helpers/cluster/release.ts';
import { crashing, helmRemediated } from '../../../helpers/cluster/scenes.ts';
import { runs } from '../../../helpers/run/proof.ts';
import { commits, context, declared, rule, target } from './seen.ts';
import { anyCharacter } from '../../../helpers/trees/any-character.ts';

const release = releaseOf({ current: { commit: commits.ours, image: 'registry.example.com/web:2.0.0' } });
const { namespace, name, replicas, current } = release;
const manifest = deployment({ namespace, name, replicas, image: current.image });
const of = target({
  rule: rule({
    argocd: { application: 'web', namespace: 'argocd' },
    flux: { kustomization: 'web', helmRelease: 'web', namespace: 'flux-system' },
    kubernetes: { namespace },
  }),
});

/** Objects of scenes, by kind: what hostile ones are made of. */
const cluster = clusterObjects();
helmRemediated(cluster, release);
crashing(cluster, release);
const KINDS = ['Application', 'Kustomization', 'HelmRelease', 'Deployment', 'Pod', 'Event'];
const genuine = new Map(
  KINDS.map((kind) => [
    kind,
    ['argocd', 'flux-system', namespace].flatMap((space) => cluster.objects(kind, space)),
  ]),
);

/** A value with others in place of some of its own, wherever they are. */
function spoil(value: unknown, spoiled: () => unknown): unknown {
  const other = spoiled();
  if (other !== undefined) return other;
  if (Array.isArray(value)) return value.map((item) => spoil(item, spoiled));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, spoil(field, spoiled)]));
}

async function observe(answer: (kind: string) => ClusterAnswer) {
  const given = context({ isOurs: () => true, manifests: async () => [declared(manifest)] });
  const [observed] = await observeTargets({
    targets: [of],
    clusters: { get: async (_, queries) => queries.map(({ kind }) => answer(kind)) },
    contextOf: () => given,
    observers: [argocd, flux, kubernetes],
  });
  return observed?.observations ?? [];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Observations that are not what anyone may be shown. */
async function oddOnes(objects: (kind: string) => readonly unknown[]) {
  const observations = await observe((kind) => ({ objects: objects(kind).filter(isObject), problem: null }));
  const odd = observations.filter(
    ({ code, message, object, revision }) =>
      code === 'OBSERVER_FAILED' ||
      /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(`${message}${object}${revision ?? ''}`) ||
      Array.from(message).length > 300,
  );
  return observations.length < 4 ? [...odd, 'one says nothing'] : odd;
}

describe('what a cluster answers', () => {
  it('is genuine before it is spoiled', async () => {
    const observations = await observe((kind) => ({
      objects: (genuine.get(kind) ?? []).map((each) => ({ ...each })),
      problem: null,
    }));
    expect(observations.map(({ object, state }) => [object.split(' ')[0], state])).toEqual([
      ['Application', 'degraded'],
      ['Kustomization', 'degraded'],
      ['HelmRelease', 'degraded'],
      ['Deployment', 'degraded'],
    ]);
  });

  it('may be anything: it is judged, in one clean line', async () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.string({ unit: anyCharacter, maxLength: 400 }),
      fc.integer(),
    );
    // One value in so many is another.
    const gaps = fc.infiniteStream(fc.tuple(fc.integer({ min: 0, max: 12 }), value));
    await fc.assert(
      fc.asyncProperty(gaps, async (stream) => {
        let [left, next]: [number, unknown] = [0, undefined];
        const spoiled = () => {
          left -= 1;
          if (left >= 0) return undefined;
          const given = next;
          [left, next] = stream.next().value ?? [0, null];
          return given;
        };
        expect(
          await oddOnes((kind) => (genuine.get(kind) ?? []).map((object) => spoil(object, spoiled))),
        ).toEqual([]);
      }),
      { numRuns: runs(3000) },
    );
  });

  it.each(['. ', ']', '=', '@', 'a:', '0', '\u202e', '{{'])('may be very long runs of %j', async (piece) => {
    const long = piece.repeat(200_000);
    const text = (value: unknown): unknown =>
      typeof value === 'string' && value.includes(' ') ? `${long}x` : undefined;
    const lengthen = (value: unknown): unknown =>
      text(value) ??
      (Array.isArray(value)
        ? value.map(lengthen)
        : isObject(value)
          ? Object.fromEntries(Object.entries(value).map(([key, field]) => [key, lengthen(field)]))
          : value);
    const annotated = (object: unknown) =>
      isObject(object) && object['kind'] === 'Deployment'
        ? {
            ...object,
            metadata: {
              ...(isObject(object['metadata']) ? object['metadata'] : {}),
              annotations: {
                'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
                  ...object,
                  metadata: {},
                  status: {},
                  spec: { [long.slice(0, 100_000)]: { a: { b: 1 } } },
                }),
              },
            },
          }
        : object;
    expect(
      await oddOnes((kind) => (genuine.get(kind) ?? []).map((object) => annotated(lengthen(object)))),
    ).toEqual([]);
  });
});
