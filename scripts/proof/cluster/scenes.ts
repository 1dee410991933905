/** What observers meet in a real cluster: each scene puts a service into a state, and says what has to be said of it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { daemonSet, deployment, job, statefulSet } from '../../../test/helpers/cluster/objects/manifests.ts';
import type { KubernetesObject } from '../../../test/helpers/cluster/server/types.ts';
import type { Place } from './place.ts';

export interface Scene {
  readonly name: string;
  /** Fails where something is said that is not so. */
  readonly play: (place: Place) => Promise<void>;
}

/** It does nothing, for ever. */
const GOOD = 'registry.k8s.io/pause:3.10';
const MOST_MS = 180_000;

const workload = (name: string, image = GOOD) => ({ name, image, replicas: 2 });

/** Without a namespace: the rule names it. */
function bare({ metadata, ...object }: KubernetesObject): KubernetesObject {
  const { name, labels } = metadata;
  return { ...object, metadata: { name, ...(labels && { labels }) } };
}

async function until(place: Place, service: string, state: string): Promise<string> {
  const end = Date.now() + MOST_MS;
  for (;;) {
    const seen = await place.engine.live.status({ scope: `proof/${service}` });
    const messages = seen.live.map(({ message }) => message).join(' ');
    if (seen.state === state) return messages;
    if (Date.now() > end) throw new Error(`${service} is ${seen.state}, not ${state}: ${messages}`);
    await sleep(1000);
  }
}

/** What `kubectl rollout status` says has to be what is said here. */
async function heldToKubectl(place: Place, kind: string, name: string, isDone: boolean): Promise<void> {
  const said = await place.kubectl(
    'rollout',
    'status',
    '--watch=false',
    `--namespace=${place.namespace}`,
    `${kind}/${name}`,
  );
  if (/successfully rolled out|roll out complete|rolling update complete/.test(said) !== isDone)
    throw new Error(`kubectl says of ${kind}/${name}: ${said.trim()}`);
}

export const SCENES: readonly Scene[] = [
  {
    name: 'live',
    play: async (place) => {
      const objects = [
        deployment(workload('live')),
        statefulSet(workload('live')),
        daemonSet(workload('live')),
      ];
      await place.release('live', objects.map(bare));
      await until(place, 'live', 'live');
      await heldToKubectl(place, 'deployment', 'live', true);
      await heldToKubectl(place, 'statefulset', 'live', true);
      await heldToKubectl(place, 'daemonset', 'live', true);
    },
  },
  {
    name: 'image-pull',
    play: async (place) => {
      await place.release('pull', [bare(deployment(workload('pull', 'registry.k8s.io/pause:no-such-tag')))]);
      await until(place, 'pull', 'progressing');
      await heldToKubectl(place, 'deployment', 'pull', false);
      const messages = await until(place, 'pull', 'degraded');
      if (!/ImagePull|ErrImage/.test(messages)) throw new Error(`Nothing is said of the image: ${messages}`);
    },
  },
  {
    name: 'job',
    play: async (place) => {
      const failing = job(workload('fails'));
      await place.release('fails', [bare(failing)]);
      // The image never ends: it is on its way, and is late in the end.
      await until(place, 'fails', 'progressing');
    },
  },
  {
    name: 'pending',
    play: async (place) => {
      await place.release('late', [bare(deployment(workload('late')))]);
      await until(place, 'late', 'live');
      await place.commit('late', [
        bare(deployment({ ...workload('late'), image: 'registry.k8s.io/pause:3.9' })),
      ]);
      await until(place, 'late', 'pending');
      await until(place, 'late', 'unconfirmed');
    },
  },
  {
    name: 'drift',
    play: async (place) => {
      await place.release('drift', [bare(deployment(workload('drift')))]);
      await until(place, 'drift', 'live');
      const before = await place.engine.live.drift({ scope: 'proof/drift' });
      if (before.objects.some(({ state }) => state !== 'same'))
        throw new Error(`Defaults of the server are drift: ${JSON.stringify(before.objects)}`);
      await place.kubectl('scale', `--namespace=${place.namespace}`, 'deployment/drift', '--replicas=3');
      const after = await place.engine.live.drift({ scope: 'proof/drift' });
      const fields = after.objects.flatMap((object) => object.fields.map(({ path }) => path));
      if (fields.join() !== '/spec/replicas')
        throw new Error(`What differs is ${fields.join() || 'nothing'}.`);
      await place.kubectl('delete', `--namespace=${place.namespace}`, 'deployment/drift');
      const gone = await place.engine.live.drift({ scope: 'proof/drift' });
      if (gone.objects[0]?.state !== 'missing') throw new Error('What was deleted is not missing.');
    },
  },
  {
    name: 'forbidden',
    play: async (place) => {
      const { namespace, kubeconfig } = place;
      await place.release('forbidden', [bare(deployment(workload('forbidden')))]);
      await place.kubectl('create', 'serviceaccount', 'nobody', `--namespace=${namespace}`);
      const token = (await place.kubectl('create', 'token', 'nobody', `--namespace=${namespace}`)).trim();
      const text = await place.kubectl('config', 'view', '--raw', '--minify', '--flatten', '--output=json');
      const config: unknown = JSON.parse(text);
      const own = join(kubeconfig, '..', `backtrail-proof-${namespace}.json`);
      await writeFile(own, JSON.stringify(withToken(config, token)), { mode: 0o600 });
      try {
        const engine = await place.engineWith({ context: place.context, kubeconfig: own });
        const { state, live } = await engine.live.status({ scope: 'proof/forbidden' });
        if (state !== 'unconfirmed')
          throw new Error(`It is ${state}: ${live.map(({ message }) => message).join(' ')}`);
      } finally {
        await writeFile(own, await readFile('/dev/null'));
      }
    },
  },
  {
    name: 'away',
    play: async (place) => {
      await place.release('away', [bare(deployment(workload('away')))]);
      const engine = await place.engineWith({ context: 'no-such-context', kubeconfig: place.kubeconfig });
      const { state } = await engine.live.status({ scope: 'proof/away' });
      if (state !== 'unconfirmed') throw new Error(`It is ${state}.`);
    },
  },
];

/** The same cluster, by a token alone. */
function withToken(config: unknown, token: string): unknown {
  if (typeof config !== 'object' || config === null || !('users' in config) || !Array.isArray(config.users))
    throw new Error('kubectl shows no configuration.');
  const users = config.users.map((user: unknown) => ({ ...Object(user), user: { token } }));
  return { ...config, users };
}
