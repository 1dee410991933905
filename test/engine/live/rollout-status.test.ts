import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Phase } from '../../../engine/live/workloads/rollout.ts';
import { workloadOf } from '../../../engine/live/workloads/workloads.ts';
import { startCluster } from '../../helpers/cluster/cluster.ts';
import type { KubernetesObject } from '../../helpers/cluster/server/types.ts';
import { hasKubectl, useKubectl } from '../../helpers/program/kubectl.ts';
import { isProof } from '../../helpers/run/proof.ts';

const small = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined });
const generation = fc.integer({ min: 1, max: 2 });
const observedGeneration = fc.constantFrom(undefined, 0, 1, 2, 2, 2);

const deployments = fc.record({
  kind: fc.constant('Deployment'),
  generation,
  spec: fc.record({ replicas: small, paused: fc.constantFrom(undefined, undefined, true) }),
  status: fc.record({
    observedGeneration,
    replicas: small,
    updatedReplicas: small,
    availableReplicas: small,
    conditions: fc.constantFrom(
      undefined,
      [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
      [{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }],
      [{ type: 'Available', status: 'False', reason: 'ProgressDeadlineExceeded' }],
    ),
  }),
});
const revision = fc.constantFrom('a', 'b', 'b');
const statefulSets = fc.record({
  kind: fc.constant('StatefulSet'),
  generation,
  spec: fc.record({
    replicas: small,
    updateStrategy: fc.record({
      type: fc.constant('RollingUpdate'),
      rollingUpdate: fc.option(fc.record({ partition: small }), { nil: undefined }),
    }),
  }),
  status: fc.record({
    observedGeneration,
    readyReplicas: small,
    updatedReplicas: small,
    currentReplicas: small,
    updateRevision: revision,
    currentRevision: revision,
  }),
});
const daemonSets = fc.record({
  kind: fc.constant('DaemonSet'),
  generation,
  spec: fc.record({ updateStrategy: fc.constant({ type: 'RollingUpdate' }) }),
  status: fc.record({
    observedGeneration,
    desiredNumberScheduled: small,
    updatedNumberScheduled: small,
    numberAvailable: small,
  }),
});

interface Case {
  readonly kind: string;
  readonly generation: number;
  readonly spec: object;
  readonly status: object;
}

const labels = { app: 'api' };
const rest = {
  selector: { matchLabels: labels },
  template: { metadata: { labels }, spec: { containers: [{ name: 'api', image: 'api:1' }] } },
};
const objectOf = ({ kind, generation, spec, status }: Case, index: number): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: `c${index}`, namespace: 'shop', generation },
  spec: { ...rest, ...spec },
  status,
});
const isDone = (line: string) =>
  /successfully rolled out|roll ?out complete|rolling update complete/.test(line);
const isWaiting = (line: string) => /^waiting for/i.test(line);

/** What one `kubectl rollout status` says of many: a line of each that is done or waits, and an error that names each that failed. */
async function phasesByKubectl(objects: readonly KubernetesObject[]): Promise<string[]> {
  const cluster = await startCluster();
  const applied = objects.map((object) => cluster.apply(object));
  // What is judged is what kubectl is answered.
  expect(applied.map(({ metadata }) => metadata.generation)).toEqual(
    objects.map(({ metadata }) => metadata.generation),
  );
  const kubectl = await useKubectl(cluster.kubeconfig);
  const names = objects.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);
  const { stdout, stderr } = await kubectl('rollout', 'status', '--watch=false', '-n', 'shop', ...names);
  const failed = new Set(
    [...stderr.matchAll(/"(c\d+)" exceeded its progress deadline/g)].map(([, name]) => name),
  );
  const lines = stdout.trimEnd().split('\n').values();
  const phases = objects.map(({ metadata: { name } }) => {
    if (failed.has(name)) return 'failed';
    const line = lines.next().value ?? '';
    return isDone(line) ? 'done' : isWaiting(line) ? 'waiting' : `?? ${line}`;
  });
  expect([...lines]).toEqual([]);
  await cluster.stop();
  return phases;
}

/** kubectl watches each for a while: without a proof, one of each sentence that a judgement can come to. */
function oneOfEach(cases: readonly Case[]): readonly Case[] {
  const sentences = new Map<string, Case>();
  for (const each of cases) {
    const object = objectOf(each, 0);
    const { message } = workloadOf(object).judge(object);
    sentences.set(`${each.kind}: ${message.replace(/\d+|(?<=replica|pod)s/g, '')}`, each);
  }
  return [...sentences.values()];
}

const phaseOf = (object: KubernetesObject): Phase => workloadOf(object).judge(object).phase;

it.skipIf(!hasKubectl)(
  'judges a rollout as kubectl rollout status does, and says which ones are paused',
  async () => {
    const cases: Case[] = [deployments, statefulSets, daemonSets].flatMap((arbitrary) =>
      fc.sample<Case>(arbitrary, 200),
    );
    const objects = (isProof ? cases : oneOfEach(cases)).map(objectOf);
    const said = await phasesByKubectl(objects);
    const judged = objects.map((object) => {
      const phase = phaseOf(object);
      return phase === 'held' ? 'waiting' : phase;
    });
    const different = objects.flatMap((object, index) =>
      said[index] === judged[index] ? [] : [{ object, kubectl: said[index], judged: judged[index] }],
    );
    expect(different).toEqual([]);
    // A sample in which all is alike would prove nothing.
    for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet'])
      expect(new Set(said.filter((_, index) => objects[index]?.kind === kind))).toEqual(
        new Set(['done', 'waiting', ...(kind === 'Deployment' ? ['failed'] : [])]),
      );
  },
);
