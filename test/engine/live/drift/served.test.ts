import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NOTHING_IGNORED } from '../../../../engine/live/drift/application.ts';
import { compareObjects } from '../../../../engine/live/drift/compare-objects.ts';
import type { ClusterObject } from '../../../../engine/model/index.ts';
import { changedAt, declaredObject } from '../../../helpers/live/declared.ts';
import { runs } from '../../../helpers/run/proof.ts';

const name = fc.stringMatching(/^[a-z]{1,8}$/);
const milli = fc.integer({ min: 1, max: 9 }).map((hundreds) => `${hundreds}00m`);
const mebi = fc.integer({ min: 1, max: 8 }).map((gibi) => `${gibi}Gi`);
const byName = <Value>(more: fc.Arbitrary<Value>) =>
  fc.uniqueArray(fc.tuple(name, more), { selector: ([named]) => named, minLength: 1, maxLength: 4 });

const container = fc.record({
  image: fc.stringMatching(/^[a-z]{1,8}:v\d{1,3}$/),
  args: fc.array(name, { minLength: 1, maxLength: 3 }),
  env: byName(name),
  cpu: milli,
  memory: mebi,
});

/** As people write them. */
const declared = fc
  .record({ containers: byName(container), replicas: fc.integer({ min: 1, max: 9 }), labels: byName(name) })
  .map(({ containers, replicas, labels }) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', labels: Object.fromEntries(labels) },
    spec: {
      replicas,
      template: {
        spec: {
          containers: containers.map(([named, { image, args, env, cpu, memory }]) => ({
            name: named,
            image,
            args,
            env: env.map(([variable, value]) => ({ name: variable, value })),
            resources: { limits: { cpu, memory } },
          })),
        },
      },
    },
  }));
type Declared = typeof declared extends fc.Arbitrary<infer Value> ? Value : never;

/** As a server answers them: with defaults, in another order, with other spellings of quantities. */
function served(object: Declared): ClusterObject {
  const { spec, metadata } = object;
  const { containers } = spec.template.spec;
  const answered = containers.map((each) => ({
    ...each,
    imagePullPolicy: 'IfNotPresent',
    env: each.env.toReversed(),
    resources: {
      limits: {
        cpu: String(Number.parseInt(each.resources.limits.cpu, 10) / 1000),
        memory: `${Number.parseInt(each.resources.limits.memory, 10) * 1024}Mi`,
      },
    },
  }));
  return {
    ...object,
    metadata: { ...metadata, labels: { ...metadata.labels, 'added-by': 'server' }, uid: '1', generation: 4 },
    spec: {
      ...spec,
      progressDeadlineSeconds: 600,
      template: {
        ...spec.template,
        spec: {
          restartPolicy: 'Always',
          containers: [...answered.toReversed(), { name: 'injected-9', image: 'x' }],
        },
      },
    },
    status: { replicas: 7 },
  };
}

/** All scalars but names, by their keys. */
function leaves(
  value: unknown,
  keys: readonly (string | number)[] = [],
): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [keys];
  return Object.entries(value).flatMap(([key, each]) =>
    leaves(each, [...keys, Array.isArray(value) ? Number(key) : key]),
  );
}

const other = (text: string) =>
  /^\d/.test(text) ? `${Number.parseInt(text, 10) + 1}${text.replace(/^\d+/, '')}` : `${text}-x`;

const stateOf = (object: Declared, live: ClusterObject) =>
  compareObjects(
    [
      {
        cluster: 'prod-eu',
        declared: declaredObject(object),
        namespace: 'acme',
        isNamespaced: true,
        ignored: NOTHING_IGNORED,
        why: null,
        answer: { objects: [live], problem: null },
        scaled: false,
      },
    ],
    { ignore: [] },
  )[0]?.state;

it('what a server makes of an object is no drift', () => {
  fc.assert(
    fc.property(declared, (object) => {
      expect(stateOf(object, served(object))).toBe('same');
    }),
    { numRuns: runs(2000) },
  );
});

it('each declared field that is changed is drift, whatever the server makes of the others', () => {
  fc.assert(
    fc.property(declared, fc.nat(), (object, at) => {
      const fields = leaves(object).filter(([first, second]) => first === 'spec' || second === 'labels');
      const changed = changedAt(object, fields[at % fields.length] ?? [], (value) =>
        typeof value === 'number' ? value + 1 : other(String(value)),
      );
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- leaves keep their types
      const live = served(changed as Declared);
      expect(stateOf(object, live)).toBe('differs');
    }),
    { numRuns: runs(2000) },
  );
});
