/** What may stand between us and a cluster. Each gives what ends it, but for clusters of their own. */
import { join } from 'node:path';
import { temporaryFolder } from '../repositories/repo.ts';
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts';
import { writeKubeconfig } from './kubeconfig.ts';

type Trouble = (cluster: Cluster) => () => void;

export const unauthorized: Trouble = (cluster) => cluster.fault({ answer: 'unauthorized' });
/** Nothing may be read in a namespace, or at all; discovery goes on. */
export const forbidden = (cluster: Cluster, ...namespaces: string[]): (() => void) =>
  cluster.fault({ answer: 'forbidden', ...(namespaces.length > 0 && { namespaces }) });
/** kubectl asks ten times more, and waits `retryAfter` seconds before each. */
export const rateLimited = (cluster: Cluster, retryAfter = 0): (() => void) =>
  cluster.fault({ answer: 'too-many-requests', retryAfter });
export const cutConnections: Trouble = (cluster) => cluster.fault({ answer: 'cut' });
export const hanging: Trouble = (cluster) => cluster.fault({ answer: 'hang' });
export const signInPage: Trouble = (cluster) => cluster.fault({ answer: 'nonsense', body: 'html' });

export function expiredToken(cluster: Cluster): () => void {
  cluster.expireToken();
  return () => cluster.recover();
}

/** Its certificate is of an authority that the kubeconfig file does not name. */
export const unknownAuthority = (options: ClusterOptions = {}): Promise<Cluster> =>
  startCluster({ ...options, authority: 'unknown' });

/** A port where nobody listens any more. */
export async function goneCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await startCluster(options);
  await cluster.stop();
  return cluster;
}

/** `cluster-0` to `cluster-9` in one kubeconfig file; the fourth never answers. */
export async function tenClusters(): Promise<{
  clusters: readonly Cluster[];
  kubeconfig: string;
  hanging: string;
}> {
  const folder = await temporaryFolder();
  const clusters = await Promise.all(
    Array.from({ length: 10 }, (_, index) => startCluster({ name: `cluster-${index}`, folder })),
  );
  const stuck = clusters[3];
  stuck?.fault({ answer: 'hang' });
  const kubeconfig = await writeKubeconfig(join(folder, 'ten.kubeconfig'), clusters);
  return { clusters, kubeconfig, hanging: stuck?.name ?? '' };
}
