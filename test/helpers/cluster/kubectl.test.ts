import { readdir } from 'node:fs/promises';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasKubectl, type Kubectl, kubectlFolder, useKubectl } from '../program/kubectl.ts';
import { isProof } from '../run/proof.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { argoApplication } from './objects/argo-application.ts';
import { configMap, daemonSet, deployment, job, pod, statefulSet } from './objects/manifests.ts';
import { deploy, rollout, type RolloutState } from './objects/rollout.ts';
import {
  cutConnections,
  expiredToken,
  forbidden,
  goneCluster,
  hanging,
  rateLimited,
  signInPage,
  tenClusters,
  unauthorized,
  unknownAuthority,
} from './trouble.ts';

let cluster: Cluster;
let kubectl: Kubectl;
const run = (line: string) => kubectl(...line.split(' '));

describe.skipIf(!hasKubectl)('the real kubectl', () => {
  beforeAll(async () => {
    cluster = await startCluster();
    kubectl = await useKubectl(cluster.kubeconfig);
    cluster.apply(argoApplication({ revision: 'a'.repeat(40) }));
    for (let index = 0; index < 1200; index += 1)
      cluster.apply(configMap({ name: `map-${index}`, namespace: 'many' }));
  });
  beforeEach(() => {
    cluster.recover();
    cluster.requests.length = 0;
  });

  it('is alone in its folder, and of the version of the cluster', async () => {
    expect(await readdir(await kubectlFolder())).toEqual(['kubectl']);
    const { clientVersion, serverVersion } = JSON.parse((await run('version -o json')).stdout);
    expect(clientVersion.gitVersion).toBe(serverVersion.gitVersion);
  });

  describe('reads', () => {
    it('an object, by the certificate and the token of its kubeconfig file', async () => {
      const { code, stdout } = await run(
        'get applications.argoproj.io shop-production-web -n argocd -o json',
      );
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual(cluster.object('Application', 'argocd', 'shop-production-web'));
      expect(cluster.lines()).toEqual(['get applications.argoproj.io argocd/shop-production-web']);
    });

    it('several kinds of all namespaces in one list a kind, and long lists in chunks', async () => {
      deploy(cluster, deployment({ namespace: 'read' }));
      cluster.requests.length = 0;
      const { stdout } = await run('get configmaps,deployments.apps,statefulsets.apps -A -o json');
      const { items } = JSON.parse(stdout);
      expect(items).toHaveLength(1201);
      expect(items.at(-1)).toMatchObject({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
      });
      const lists = ['list configmaps', 'list configmaps', 'list configmaps'];
      expect(cluster.lines()).toEqual([...lists, 'list deployments.apps', 'list statefulsets.apps']);
    });

    it.runIf(isProof)('what selectors let through', async () => {
      deploy(cluster, deployment({ namespace: 'select' }), 'stuck-image-pull');
      const names = async (line: string) =>
        (await run(`${line} -n select -o name`)).stdout.split('\n').length - 1;
      expect(await names('get pods -l app=web')).toBe(3);
      expect(await names('get pods -l app!=web')).toBe(0);
      expect(await names('get pods -l app')).toBe(3);
      expect(await names('get events --field-selector involvedObject.kind=Pod,type=Warning')).toBe(3);
      expect(await names('get events --field-selector involvedObject.kind!=Pod')).toBe(0);
      expect(await names('get deployments --field-selector metadata.name=web')).toBe(1);
    });

    it.runIf(isProof)('half a list, and fails, where its chunks expire', async () => {
      cluster.fault({
        answer: 'slow',
        verbs: ['list'],
        until: () => {
          if (cluster.lines().length < 2) return;
          cluster.apply(configMap({ name: 'later', namespace: 'many' }));
          cluster.compact();
        },
      });
      const { code, stdout, stderr } = await run('get configmaps -n many -o json');
      expect([code, stderr]).toEqual([1, expect.stringContaining('(Expired)')]);
      expect(JSON.parse(stdout).items).toHaveLength(500);
    });

    it.runIf(isProof)('for people, without a table', async () => {
      const { code, stdout } = await run('get deployments -A');
      expect([code, stdout]).toEqual([0, expect.stringContaining('web')]);
    });

    it.runIf(isProof)(
      'from a server that lists groups as before 1.26, and from one without Argo CD',
      async () => {
        const old = await startCluster({ aggregated: false, without: ['argoproj.io'] });
        const ask = await useKubectl(old.kubeconfig);
        expect(await ask('get', 'deploy', '-A', '-o', 'json')).toMatchObject({ code: 0 });
        const { code, stderr } = await ask('get', 'applications.argoproj.io', '-A');
        expect([code, stderr]).toEqual([
          1,
          expect.stringContaining(`doesn't have a resource type "applications"`),
        ]);
      },
    );
  });

  describe('rollout status', () => {
    const status = (kind: string, namespace: string, ...more: string[]) =>
      kubectl('rollout', 'status', `${kind}/web`, '-n', namespace, ...more);

    it('says what is missing, and that a deadline has passed', async () => {
      const ref = { kind: 'Deployment', namespace: 'stuck', name: 'web' };
      deploy(cluster, deployment({ namespace: 'stuck' }));
      deploy(
        cluster,
        deployment({ namespace: 'stuck', image: 'registry.example.com/web:2' }),
        'stuck-image-pull',
      );
      rollout(cluster, ref, { to: 'stuck-image-pull', deadlineExceeded: true });
      const { code, stderr } = await status('deployment', 'stuck', '--watch=false');
      expect([code, stderr]).toEqual([1, 'error: deployment "web" exceeded its progress deadline\n']);
    });

    it('watches until the rollout is complete', async () => {
      deploy(cluster, deployment({ namespace: 'watched' }), 'slow');
      const watching = status('deployment', 'watched');
      await expect
        .poll(() => cluster.lines())
        .toContainEqual(expect.stringMatching(/^watch deployments\.apps watched/));
      rollout(cluster, { kind: 'Deployment', namespace: 'watched', name: 'web' }, { to: 'live' });
      const { code, stdout } = await watching;
      expect([code, stdout.trim().split('\n').at(-1)]).toEqual([
        0,
        'deployment "web" successfully rolled out',
      ]);
    });

    const makers = { deployment, statefulset: statefulSet, daemonset: daemonSet };
    const WAITS: readonly RolloutState[] = [
      'unseen',
      'slow',
      'unschedulable',
      'stuck-image-pull',
      'crash',
      'unready',
    ];
    it.runIf(isProof).each(Object.entries(makers))('of a %s in every state', async (kind, make) => {
      for (const state of [...WAITS, 'live'] as const) {
        const namespace = `${kind}-${state}`;
        deploy(cluster, make({ namespace }));
        deploy(cluster, make({ namespace, image: 'registry.example.com/web:2' }), state);
        const { code, stdout } = await status(kind, namespace, '--watch=false');
        expect(code).toBe(0);
        const said = state === 'live' ? /successfully rolled out|roll out complete/ : /^Waiting for /;
        expect(stdout).toMatch(said);
      }
    });
    it.runIf(isProof).each(Object.entries(makers))('of a first %s', async (kind, make) => {
      for (const state of ['slow', 'live'] as const) {
        const namespace = `first-${kind}-${state}`;
        deploy(cluster, make({ namespace }), state);
        const { stdout } = await status(kind, namespace, '--watch=false');
        expect(stdout.startsWith('Waiting for ')).toBe(state === 'slow');
      }
    });

    it.runIf(isProof).each([
      ['Job', job, 'jsonpath={.status.succeeded}'],
      ['Pod', pod, 'condition=Ready'],
    ] as const)('and wait, of a %s', async (kind, make, until) => {
      deploy(cluster, make({ namespace: 'wait' }), 'slow');
      const waiting = kubectl('wait', `${kind}/web`, '-n', 'wait', `--for=${until}`);
      await expect.poll(() => cluster.lines()).toContainEqual(expect.stringMatching(/^watch /));
      rollout(cluster, { kind, namespace: 'wait', name: 'web' }, { to: 'live' });
      expect(await waiting).toMatchObject({ code: 0 });
    });
  });

  describe('asks what it may', () => {
    it('as the same requests are answered', async () => {
      forbidden(cluster, 'closed');
      const asked = await run('auth can-i list deployments.apps -n closed');
      expect([asked.code, asked.stdout.trim()]).toEqual([1, 'no']);
      const { code, stderr } = await run('get deployments.apps -n closed -o json');
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^Error from server \(Forbidden\): .*"closed"\n$/),
      ]);
    });

    it.runIf(isProof)('by rules, in each namespace and for each verb', async () => {
      cluster.allow([
        { verbs: ['get', 'list'], resources: ['deployments.apps', 'pods'], namespaces: ['shop'] },
      ]);
      const may = async (line: string) => (await run(`auth can-i ${line}`)).stdout.trim();
      expect(await may('list deploy -n shop')).toBe('yes');
      expect(await may('patch deploy -n shop')).toBe('no');
      expect(await may('list deploy -n other')).toBe('no');
      expect(await may('list deploy -A')).toBe('no');
      expect(await may('--list -n shop')).toContain('deployments');
    });
  });

  describe('writes', () => {
    it('an annotation, with one patch', async () => {
      deploy(cluster, deployment({ namespace: 'write' }));
      cluster.requests.length = 0;
      expect(await run('annotate deployment web -n write example.com/at=now --overwrite')).toMatchObject({
        code: 0,
      });
      expect(cluster.lines()).toEqual(['get deployments.apps write/web', 'patch deployments.apps write/web']);
      const { metadata } = cluster.object('Deployment', 'write', 'web') ?? {};
      expect(metadata).toMatchObject({ annotations: { 'example.com/at': 'now' }, generation: 1 });
    });

    it.runIf(isProof)('patches of each kind, and a scale', async () => {
      deploy(cluster, deployment({ namespace: 'patch' }));
      const replicas = () => cluster.object('Deployment', 'patch', 'web');
      await run('patch deployment web -n patch -p {"spec":{"replicas":4}}');
      expect(replicas()).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 4 } });
      await run('patch deployment web -n patch --type=merge -p {"spec":{"replicas":5}}');
      expect(replicas()).toMatchObject({ spec: { replicas: 5 } });
      await run(
        'patch deployment web -n patch --type=json -p [{"op":"replace","path":"/spec/replicas","value":6}]',
      );
      expect(replicas()).toMatchObject({ spec: { replicas: 6 } });
      await run('scale deployment web -n patch --replicas=7');
      expect(replicas()).toMatchObject({ spec: { replicas: 7 } });
      const strategic = await run('patch app shop-production-web -n argocd -p {"spec":{}}');
      expect([strategic.code, strategic.stderr]).toEqual([
        1,
        expect.stringContaining('not supported by argoproj.io'),
      ]);
    });
  });

  describe('fails', () => {
    const fails = async (ask = run) => {
      const { code, stdout, stderr } = await ask('get configmap map-1 -n many -o json --request-timeout=1s');
      expect([code, stdout]).toEqual([1, '']);
      return stderr;
    };

    it('where its token has expired', async () => {
      expiredToken(cluster);
      expect(await fails()).toContain('Unauthorized');
    });

    it.runIf(isProof)('where the server never answers, at its own limit', async () => {
      hanging(cluster);
      expect(await fails()).toMatch(/Client\.Timeout|context deadline exceeded/);
    });

    it('where the certificate is of another authority', async () => {
      const other = await useKubectl((await unknownAuthority()).kubeconfig);
      expect(await fails((line) => other(...line.split(' ')))).toContain(
        'certificate signed by unknown authority',
      );
    });

    it.runIf(isProof)(
      'where the object is not there, or the server says 429, breaks off, or is no API server',
      async () => {
        expect((await run('get configmap none -n many')).stderr).toContain('configmaps "none" not found');
        for (const [trouble, words] of [
          [unauthorized, 'Unauthorized'],
          [rateLimited, 'TooManyRequests'],
          [cutConnections, 'unexpected EOF'],
          [signInPage, 'text/html'],
        ] as const) {
          const end = trouble(cluster);
          expect(await fails()).toContain(words);
          end();
        }
      },
    );

    it.runIf(isProof)('where nobody listens', async () => {
      const gone = await useKubectl((await goneCluster()).kubeconfig);
      expect(await fails((line) => gone(...line.split(' ')))).toContain('connection refused');
    });

    it.runIf(isProof)('at one of ten clusters, and reads the others', async () => {
      const { clusters, kubeconfig, hanging } = await tenClusters();
      const ask = await useKubectl(kubeconfig);
      const answers = await Promise.all(
        clusters.map(async ({ name }) => {
          const { code } = await ask('get', 'ns', '-o', 'name', `--context=${name}`, '--request-timeout=1s');
          return [name, code === 0] as const;
        }),
      );
      expect(answers).toEqual(clusters.map(({ name }) => [name, name !== hanging]));
    });
  });
});
