import { chmod, writeFile } from 'node:fs/promises';

/** How a cluster is reached. */
export interface ClusterAccess {
  /** Of the context, the cluster and the user. */
  readonly name: string;
  readonly url: string;
  /** PEM. */
  readonly authority: string;
  readonly token: string;
  /** That of the context; none: `default`. */
  readonly namespace?: string;
}

/** A kubeconfig file with a context for each; the first is the current one. */
export async function writeKubeconfig(file: string, clusters: readonly ClusterAccess[]): Promise<string> {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    preferences: {},
    'current-context': clusters[0]?.name ?? '',
    clusters: clusters.map(({ name, url, authority }) => ({
      name,
      cluster: { server: url, 'certificate-authority-data': Buffer.from(authority).toString('base64') },
    })),
    users: clusters.map(({ name, token }) => ({ name, user: { token } })),
    contexts: clusters.map(({ name, namespace }) => ({
      name,
      context: { cluster: name, user: name, ...(namespace !== undefined && { namespace }) },
    })),
  };
  // YAML has JSON within it.
  await writeFile(file, `${JSON.stringify(config, null, 2)}\n`);
  await chmod(file, 0o600);
  return file;
}
