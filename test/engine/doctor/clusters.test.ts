import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkClusters } from '../../../engine/doctor/clusters.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { type Cluster, startCluster } from '../../helpers/cluster/cluster.ts';
import { hasKubectl, kubectlFolder } from '../../helpers/program/kubectl.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';

const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
const config = (live: string) =>
  parseConfig(
    `version: 1\nlayout:\n  environment: ["envs/{environment}/**"]\n${live}`,
    '.backtrail/config.yaml',
  );
const LIVE =
  'live:\n  - { match: "**", cluster: prod-eu, nudge: true, argocd: { application: "{environment}" }, kubernetes: { namespace: "{environment}" } }\n';

let cluster: Cluster;
let env: Record<string, string>;

beforeAll(async () => {
  const folder = await temporaryFolder();
  cluster = await startCluster({ name: 'prod-eu' });
  const file = join(folder, 'clusters.yaml');
  await writeFile(file, `prod-eu: { context: prod-eu, kubeconfig: ${cluster.kubeconfig} }\n`);
  env = { BACKTRAIL_CLUSTERS: file, HOME: folder, PATH: hasKubectl ? await kubectlFolder() : '' };
});

beforeEach(() => {
  cluster.recover();
});

const check = async (live = LIVE, more: Record<string, string> = {}) =>
  (await checkClusters({ config: config(live), env: { ...env, ...more }, clock })).map(
    ({ status, message }) => `${status}: ${message}`,
  );

describe('doctor and clusters', () => {
  it('says nothing where no cluster is named', async () => {
    expect(await check('')).toEqual([]);
  });

  it('says that clusters are named and cannot be asked from here', async () => {
    expect(await check(LIVE, { BACKTRAIL_CLUSTERS: '' })).toEqual([
      'warn: The configuration says which clusters run it, and none can be asked from here.',
    ]);
    expect(await check(LIVE, { BACKTRAIL_CLUSTERS: '/no/such/file' })).toEqual([
      expect.stringMatching(/^fail: The file that BACKTRAIL_CLUSTERS names cannot be read/),
    ]);
    expect(await check(LIVE.replace('prod-eu', 'prod-us'))).toEqual([
      'warn: The cluster prod-us does not say whether a revision is live. The file that BACKTRAIL_CLUSTERS names does not list prod-us.',
    ]);
  });

  it.skipIf(!hasKubectl)('asks each, for what is asked later, and whether it may be annotated', async () => {
    const well = 'ok: The cluster prod-eu can be asked whether a revision is live.';
    expect(await check()).toEqual([well]);
    cluster.fault({ answer: 'forbidden', verbs: ['patch'] });
    expect(await check()).toEqual([
      well,
      'warn: `nudge` cannot annotate in prod-eu: the verb patch is not allowed for Application.',
    ]);
    expect(await check(LIVE.replace(/argocd: .*? }/, 'flux: { kustomization: "{environment}" }'))).toEqual([
      well,
      'warn: `nudge` cannot annotate in prod-eu: the verb patch is not allowed for GitRepository, Kustomization.',
    ]);
    cluster.fault({ answer: 'forbidden', resources: ['deployments'] });
    expect(await check()).toEqual([
      'warn: The cluster prod-eu does not say whether a revision is live. The credentials may not read this in the cluster (403).',
    ]);
  });
});
