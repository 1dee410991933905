/** Applications through the HTTP API of Argo CD. Source: its `swagger.json`, ApplicationService (Get, List). */
import { connect, type Connection } from '../../hosts/http.ts';
import {
  type ClusterAnswer,
  type ClusterObject,
  type ClusterProblem,
  type Clock,
  isFailure,
  type ObjectQuery,
} from '../../model/index.ts';
import { isFields } from '../read.ts';
import { indexOf } from './answers.ts';
import { type ArgocdEntry, readClusterCertificates, readClusterToken } from './operator.ts';
import { splitVersion } from './questions.ts';
import { until } from './until.ts';

export interface ArgocdCluster {
  readonly name: string;
  readonly entry: ArgocdEntry;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** When aborted, nothing is waited for any more. */
  readonly signal: AbortSignal;
}

/** So many Applications are asked for one by one. */
const MOST_NAMES = 4;

type Asked = { readonly objects: readonly ClusterObject[] } | { readonly problem: ClusterProblem };

/** Rejects with the reason of its signal alone. */
export async function getApplications(
  cluster: ArgocdCluster,
  queries: readonly ObjectQuery[],
): Promise<ReadonlyMap<ObjectQuery, ClusterAnswer>> {
  const { own, found } = split(queries);
  if (own.length === 0) return found;
  return withConnection(cluster, found, own, async (get) => {
    const spaces = new Set(own.map(({ namespace }) => namespace));
    if (own.length <= MOST_NAMES && own.every(({ name }) => name !== null))
      for (const query of own) found.set(query, answerOf(await one(cluster, get, query), query));
    else
      for (const namespace of spaces) {
        const answer = await list(cluster, get, namespace);
        const find = 'objects' in answer ? indexOf(answer.objects) : null;
        for (const query of own)
          if (query.namespace === namespace)
            found.set(
              query,
              find !== null
                ? { objects: find(query), problem: null }
                : { objects: null, problem: 'problem' in answer ? answer.problem : NONSENSE },
            );
      }
    return found;
  });
}

/** Asking for one with `refresh` sets the annotation that makes Argo CD look at the repository at once. */
export async function refreshApplication(
  cluster: ArgocdCluster,
  query: ObjectQuery,
): Promise<ClusterProblem | null> {
  if (!isApplication(query))
    return { code: 'RESOURCE_UNKNOWN', message: 'Argo CD is asked for Applications alone.' };
  const found = await withConnection(cluster, new Map(), [query], async (get) => {
    const answer = await one(cluster, get, query);
    return new Map([[query, answerOf(answer, query)]]);
  });
  return found.get(query)?.problem ?? null;
}

const isApplication = ({ apiVersion, kind }: ObjectQuery) =>
  kind === 'Application' && splitVersion(apiVersion)[0] === 'argoproj.io';

/** What is no Application is not known to it. */
function split(queries: readonly ObjectQuery[]) {
  const found = new Map<ObjectQuery, ClusterAnswer>();
  const own: ObjectQuery[] = [];
  for (const query of queries)
    if (isApplication(query)) own.push(query);
    else
      found.set(query, {
        objects: null,
        problem: { code: 'RESOURCE_UNKNOWN', message: 'Argo CD is asked for Applications alone.' },
      });
  return { own, found };
}

type Get = (path: string) => Promise<Response>;

async function withConnection(
  { name, entry, env, clock, signal }: ArgocdCluster,
  found: Map<ObjectQuery, ClusterAnswer>,
  own: readonly ObjectQuery[],
  use: (get: Get) => Promise<ReadonlyMap<ObjectQuery, ClusterAnswer>>,
): Promise<ReadonlyMap<ObjectQuery, ClusterAnswer>> {
  let connection: Connection | null = null;
  try {
    const token = await readClusterToken(name, entry.tokenFile);
    const ca = entry.caFile === null ? undefined : await readClusterCertificates(name, entry.caFile);
    const { address: api } = entry;
    const authorization = () => Promise.resolve(`Bearer ${token}`);
    const open = connect({
      name,
      api,
      env,
      clock,
      authorization,
      answerMs: entry.timeoutSeconds * 1000,
      waitMs: 0,
      ca,
    });
    connection = open;
    return await until(
      signal,
      use((path) => open.fetch(`${api}${path}`)),
    );
  } catch (error) {
    if (!isFailure(error)) throw error;
    const isBusy = error.details['retryAfterMs'] !== undefined;
    const code =
      error.code === 'INVALID_REQUEST' ? 'CLUSTER_UNKNOWN' : isBusy ? 'CLUSTER_BUSY' : 'CLUSTER_AWAY';
    const message = error.code === 'INVALID_REQUEST' ? UNREADABLE : error.message;
    for (const query of own) found.set(query, { objects: null, problem: { code, message } });
    return found;
  } finally {
    await connection?.close();
  }
}

/** The message names a file of the machine that asks, and goes to callers from elsewhere. */
const UNREADABLE = 'The file with its token or its certificates cannot be read.';

const NONSENSE: ClusterProblem = {
  code: 'CLUSTER_NONSENSE',
  message: 'Argo CD answers what is no Application.',
};

/** Without a project, a missing Application answers as a forbidden one does. */
async function one({ entry }: ArgocdCluster, get: Get, { namespace, name }: ObjectQuery): Promise<Asked> {
  const query = new URLSearchParams({ refresh: 'normal' });
  if (entry.project !== null) query.set('project', entry.project);
  if (namespace !== null) query.set('appNamespace', namespace);
  const response = await get(`/api/v1/applications/${encodeURIComponent(name ?? '')}?${query.toString()}`);
  if (response.status === 404) return { objects: [] };
  const value = await valueOf(response);
  if ('problem' in value) return value;
  return isFields(value.value) ? { objects: [withType(value.value)] } : { problem: NONSENSE };
}

async function list({ entry }: ArgocdCluster, get: Get, namespace: string | null): Promise<Asked> {
  const query = new URLSearchParams();
  if (entry.project !== null) query.set('projects', entry.project);
  if (namespace !== null) query.set('appNamespace', namespace);
  const value = await valueOf(await get(`/api/v1/applications?${query.toString()}`));
  if ('problem' in value) return value;
  const items = isFields(value.value) ? (value.value['items'] ?? []) : null;
  return Array.isArray(items) && items.every(isFields)
    ? { objects: items.map(withType) }
    : { problem: NONSENSE };
}

/** Its API leaves out what all of its objects are. */
const withType = (object: ClusterObject): ClusterObject => ({
  ...object,
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
});

async function valueOf(
  response: Response,
): Promise<{ readonly value: unknown } | { readonly problem: ClusterProblem }> {
  const { status } = response;
  if (status === 401)
    return { problem: { code: 'CLUSTER_DENIED', message: 'Argo CD does not accept the token (401).' } };
  if (status === 403)
    return {
      problem: {
        code: 'CLUSTER_DENIED',
        message: 'The token may not read this Application, or there is none of this name (403).',
      },
    };
  if (status !== 200)
    return { problem: { code: 'CLUSTER_NONSENSE', message: `Argo CD answers with status ${status}.` } };
  try {
    return { value: await response.json() };
  } catch {
    return { problem: NONSENSE };
  }
}

function answerOf(answer: Asked, query: ObjectQuery): ClusterAnswer {
  if ('problem' in answer) return { objects: null, problem: answer.problem };
  return { objects: indexOf(answer.objects)(query), problem: null };
}
