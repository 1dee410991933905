/** What deploy/ says, as kustomize builds it: each container is confined, and what it reads is there. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { parseServerConfiguration } from '../../server/settings/configuration.ts';
import { kubectl, needsKubectl } from '../helpers/program/programs.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const probe = z
  .object({ httpGet: z.object({ path: z.string() }).optional() })
  .loose()
  .optional();
const resources = z.object({ cpu: z.string(), memory: z.string() }).loose();
const container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  resources: z.object({ requests: resources, limits: resources }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() }).loose()),
  livenessProbe: probe,
  readinessProbe: probe,
});
const pod = z.object({
  automountServiceAccountToken: z.literal(false),
  securityContext: z
    .object({
      runAsNonRoot: z.literal(true),
      seccompProfile: z.object({ type: z.literal('RuntimeDefault') }),
    })
    .loose(),
  containers: z.tuple([container]),
  volumes: z.array(z.object({ name: z.string() }).loose()),
});
const object = z.object({ kind: z.string(), metadata: z.object({ name: z.string() }).loose() }).loose();
const labelled = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }), spec: pod });

let objects: readonly z.infer<typeof object>[] = [];
beforeAll(() => {
  if (!kubectl) return;
  const built = execFileSync('kubectl', ['kustomize', 'deploy/kubernetes'], { cwd: ROOT, encoding: 'utf8' });
  objects = parseAllDocuments(built).map((each) => object.parse(each.toJS()));
});
const ofKind = (kind: string) => objects.filter((each) => each.kind === kind);
const pods = () =>
  ofKind('Deployment').map(({ metadata: { name }, ...rest }) => {
    const { template } = z.object({ template: labelled }).parse(rest['spec']);
    return { name, labels: template.metadata.labels, ...template.spec };
  });

describe.skipIf(!kubectl)(`deploy/kubernetes${needsKubectl}`, () => {
  it('confines server, worker and Redis, and mounts each volume', () => {
    expect(
      pods()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['redis', 'server', 'worker']);
    for (const {
      containers: [only],
      volumes,
    } of pods())
      expect(only.volumeMounts.map(({ name }) => name).toSorted()).toEqual(
        volumes.map(({ name }) => name).toSorted(),
      );
    const [server] = pods().filter(({ name }) => name === 'server');
    const { livenessProbe, readinessProbe } = server?.containers[0] ?? {};
    expect([livenessProbe?.httpGet?.path, readinessProbe?.httpGet?.path]).toEqual(['/healthz', '/readyz']);
  });

  it('has secrets in files alone, and lets nobody reach what is not named', () => {
    expect(ofKind('Secret')).toEqual([]);
    expect(JSON.stringify(objects)).not.toMatch(/secretKeyRef|BEGIN|ghp_|glpat-/);
    const policies = ofKind('NetworkPolicy').map((each) => [each.metadata.name, each['spec']]);
    expect(Object.fromEntries(policies)['nothing-else']).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
    expect(policies.length).toBeGreaterThan(3);
  });

  it('starts commands that there are, with files that can be read', () => {
    const known = read('docs/cli.md');
    const files = new Set(
      Object.keys(z.record(z.string(), z.string()).parse(ofKind('ConfigMap')[0]?.['data'])),
    );
    for (const {
      name,
      containers: [{ args, env, image }],
    } of pods().filter((each) => each.name !== 'redis')) {
      expect(image).toBe('registry.example.com/backtrail:0.1.0');
      expect(args).toContain(name === 'server' ? 'serve' : name);
      for (const option of args.filter((each) => each.startsWith('--')))
        expect(known).toContain(`${option} <`);
      const named = [...args, ...env.map(({ value }) => value)].join(' ');
      for (const [, file = ''] of named.matchAll(/\/etc\/backtrail\/(\S+)/g)) expect(files).toContain(file);
    }
    const { hosts, tokens } = parseServerConfiguration(
      read('deploy/kubernetes/config/server.yaml'),
      'server.yaml',
    );
    expect([hosts, tokens]).toEqual([['backtrail.example.com'], true]);
  });
});

describe('deploy/Dockerfile', () => {
  it('runs as nobody who may do anything, and looks whether the server lives', () => {
    const text = read('deploy/Dockerfile');
    expect(text).toMatch(/^USER 10001:10001$/m);
    expect(text).toMatch(/^HEALTHCHECK [^]*\/healthz/m);
    expect(text).toMatch(/git openssh-client/);
    for (const [, path = ''] of text.matchAll(/^COPY (?!--)(.+) \S+$/gm))
      for (const each of path.split(' ').filter((name) => name !== '.')) expect(read(each)).not.toBe('');
  });
});
