/** A cluster on loopback: an API server of our own over HTTPS, complete enough for the real kubectl. README.md says what it knows. */
import { join } from 'node:path';
import { temporaryFolder } from '../repositories/repo.ts';
import { certificates } from './certificates.ts';
import { type ClusterObjects, clusterObjects } from './cluster-objects.ts';
import { type ClusterAccess, writeKubeconfig } from './kubeconfig.ts';
import { listen } from './listen.ts';
import type { AccessRule } from './server/access.ts';
import { createFaults, type Fault } from './server/faults.ts';
import { RESOURCES } from './server/resources.ts';
import { createApiServer, type LoggedRequest, type ServerState } from './server/server.ts';
import { createStore } from './server/store.ts';

export interface Cluster extends ClusterAccess, ClusterObjects {
  /** A file whose one context has the name of the cluster. */
  readonly kubeconfig: string;
  /** What was asked for, oldest first. Empty it to count anew. */
  readonly requests: LoggedRequest[];
  /** `list deployments.apps shop`, …: requests for resources alone. */
  lines(): string[];
  /** Gives what ends it. */
  fault(fault: Fault): () => void;
  /** Ends all faults and limits. */
  recover(): void;
  /** From now on only this is allowed. */
  allow(rules: readonly AccessRule[]): void;
  /** Its token is not accepted any more, until it recovers. */
  expireToken(): void;
  /** Older resource versions and continue tokens are gone. */
  compact(): void;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly name?: string;
  /** What objects are dated with. */
  readonly now?: () => Date;
  /** API groups that it does not have, such as `argoproj.io`. */
  readonly without?: readonly string[];
  /** false: discovery as before Kubernetes 1.26. */
  readonly aggregated?: boolean;
  /** Its server has a certificate of this authority; the kubeconfig file names that of `cluster`. */
  readonly authority?: string;
  readonly folder?: string;
}

const USER = 'system:serviceaccount:backtrail:observer';

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { name = 'prod-eu', now = () => new Date(), without = [], aggregated = true } = options;
  const store = createStore(now);
  const token = `token-of-${name}`;
  const state: ServerState = {
    store,
    faults: createFaults(),
    resources: RESOURCES.filter(({ group }) => !without.includes(group)),
    aggregated,
    requests: [],
    users: new Map([[token, USER]]),
    allowed: null,
  };
  const { address, stop } = await listen(createApiServer(await certificates(options.authority), state));
  const { authority } = await certificates();
  const access = { name, url: `https://${address}`, authority, token };
  const file = join(options.folder ?? (await temporaryFolder()), `${name}.kubeconfig`);
  return {
    ...access,
    kubeconfig: await writeKubeconfig(file, [access]),
    requests: state.requests,
    lines: () => state.requests.flatMap(({ type, line }) => (type === null ? [] : [line])),
    ...clusterObjects(now, store),
    ...control(state, token),
    stop,
  };
}

function control(state: ServerState, token: string) {
  const { store, faults, users } = state;
  return {
    fault: (fault: Fault) => faults.add(fault),
    recover() {
      faults.clear();
      state.allowed = null;
      users.set(token, USER);
    },
    allow(rules: readonly AccessRule[]) {
      state.allowed = rules;
    },
    expireToken: () => void users.delete(token),
    compact: () => store.compact(),
  };
}
