/** The operator's file, which BACKTRAIL_CLUSTERS names: how each cluster is reached. A repository names clusters, and has no say in it. */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { apiAddress, operatorFile, shown } from '../../hosts/operator-file.ts';

/** Through kubectl, by a context of its configuration. */
export interface KubernetesEntry {
  readonly kind: 'kubernetes';
  readonly context: string;
  /** null: the one that kubectl takes by itself. */
  readonly kubeconfig: string | null;
  readonly timeoutSeconds: number;
}

/** Through the HTTP API of Argo CD. */
export interface ArgocdEntry {
  readonly kind: 'argocd';
  /** Without a slash at the end. */
  readonly address: string;
  readonly tokenFile: string;
  /** Certificates of its authority. */
  readonly caFile: string | null;
  /** Of the Applications. null: any, and one that is missing looks like one that is forbidden. */
  readonly project: string | null;
  readonly timeoutSeconds: number;
}

export type ClusterEntry = KubernetesEntry | ArgocdEntry;

const NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;
/** A word of a command line that is no option. */
const CONTEXT = /^[^\p{C}\s-][^\p{C}]{0,499}$/u;
const HINT =
  'Write it as YAML: `prod-eu: { context: CONTEXT }`, a context of kubectl; or `prod-us: { argocd: https://argocd.example.com, token: FILE }`.';

const file = operatorFile({ variable: 'BACKTRAIL_CLUSTERS', hint: HINT });

const text = z.string().min(1).max(4096);
/** Seconds, of one request. */
const timeout = z.int().min(1).max(120).default(10);
const schema = z.record(
  z.string(),
  z.union([
    z.strictObject({ context: text, kubeconfig: text.optional(), timeout }),
    z.strictObject({ argocd: text, token: text, ca: text.optional(), project: text.optional(), timeout }),
  ]),
);

/** @throws INVALID_REQUEST where the file cannot be read or does not have the form */
export async function readClusters(path: string): Promise<ReadonlyMap<string, ClusterEntry>> {
  return parseClusters(await file.read(path), dirname(resolve(path)));
}

/** `folder`: what paths in it are relative to. By name. @throws INVALID_REQUEST */
export function parseClusters(source: string, folder: string): ReadonlyMap<string, ClusterEntry> {
  const entries = new Map<string, ClusterEntry>();
  for (const [name, value] of Object.entries(file.parse(source, schema))) {
    if (!NAME.test(name)) throw file.refuse(`names a cluster that is none: ${shown(name)}`);
    entries.set(name, entryOf(name, value, folder));
  }
  return entries;
}

function entryOf(name: string, value: z.infer<typeof schema>[string], folder: string): ClusterEntry {
  if ('context' in value) {
    if (!CONTEXT.test(value.context)) throw file.refuse(`has a context for ${name} that is none`);
    const { context, kubeconfig, timeout: timeoutSeconds } = value;
    return {
      kind: 'kubernetes',
      context,
      kubeconfig: kubeconfig === undefined ? null : resolve(folder, kubeconfig),
      timeoutSeconds,
    };
  }
  const address = apiAddress(value.argocd);
  if (address === null) throw file.refuse(`has an address for ${name} that is not https`);
  const { token, ca, project } = value;
  return {
    kind: 'argocd',
    address,
    tokenFile: resolve(folder, token),
    caFile: ca === undefined ? null : resolve(folder, ca),
    project: project ?? null,
    timeoutSeconds: value.timeout,
  };
}

export const readClusterToken = file.readToken;
export const readClusterCertificates = (name: string, path: string): Promise<string> =>
  file.readSecret(path, `holds the certificates for ${name}`);
