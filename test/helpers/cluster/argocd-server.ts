/** The HTTP API of Argo CD, of the Applications of a cluster: over HTTPS, with the certificates of `certificates.ts`. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { certificates } from './certificates.ts';
import type { ClusterObjects } from './cluster-objects.ts';
import { listen } from './listen.ts';
import { createFaults, type Fault, type Faults, instead, sendReply } from './server/faults.ts';
import { typeOfKind } from './server/resources.ts';
import type { ApiRequest, KubernetesObject, Reply } from './server/types.ts';

export interface ArgoServer {
  readonly url: string;
  /** PEM of the authority that signed its certificate. */
  readonly authority: string;
  /** May read the Applications of every project. */
  readonly token: string;
  /** May read those of one project. */
  projectToken(project: string): string;
  /** Paths with their query, oldest first. */
  readonly requests: string[];
  /** What happens before a `refresh` is answered. */
  onRefresh: (application: KubernetesObject) => void;
  /** Gives what ends it. */
  fault(fault: Fault): () => void;
  recover(): void;
  /** No token is accepted until it recovers. */
  expireTokens(): void;
  stop(): Promise<void>;
}

interface State {
  readonly cluster: ClusterObjects;
  readonly faults: Faults;
  readonly namespaces: readonly string[];
  readonly server: () => ArgoServer;
  isExpired: boolean;
}

/** `namespaces`: where Applications may be beside its own, `argocd`. `plain`: without TLS. */
export async function startArgoServer(
  cluster: ClusterObjects,
  options: { readonly namespaces?: readonly string[]; readonly plain?: boolean } = {},
): Promise<ArgoServer> {
  const { namespaces = [], plain = false } = options;
  const faults = createFaults();
  const state: State = {
    cluster,
    faults,
    namespaces: ['argocd', ...namespaces],
    server: () => server,
    isExpired: false,
  };
  const listener: RequestListener = (message, response) => {
    answer(state, message, response).catch(() => response.destroy());
  };
  const tls = await certificates();
  const { address, stop } = await listen(plain ? createServer(listener) : createSecureServer(tls, listener));
  const server: ArgoServer = {
    url: `${plain ? 'http' : 'https'}://${address}`,
    authority: tls.authority,
    token: 'token-of-argocd',
    projectToken: (project) => `token-of-project-${project}`,
    requests: [],
    onRefresh: () => undefined,
    fault: (fault) => faults.add(fault),
    recover() {
      faults.clear();
      state.isExpired = false;
    },
    expireTokens() {
      state.isExpired = true;
    },
    stop,
  };
  return server;
}

async function answer(state: State, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const { cluster, faults, namespaces, isExpired } = state;
  const { requests, onRefresh } = state.server();
  requests.push(message.url ?? '');
  const request = readRequest(message);
  const access = /^Bearer (?:token-of-argocd|token-of-project-(.+))$/.exec(
    message.headers.authorization ?? '',
  );
  const fault = faults.find(request);
  if (fault?.answer === 'slow') await (typeof fault.until === 'function' ? fault.until() : fault.until);
  const other = instead(fault, request, '');
  if (other === 'never') return;
  const refused = access === null ? failure(16) : isExpired ? failure(16, EXPIRED) : null;
  const asked = { cluster, request, namespaces, project: access?.[1] ?? null, onRefresh };
  const reply = refused ?? (other === null ? getApplication(asked) : translated(other));
  sendReply(response, reply, fault?.answer === 'cut');
}

const EXPIRED = 'invalid session: token has invalid claims: token is expired';
/** HTTP status and usual message by code of gRPC. */
const CODES: Readonly<Record<number, readonly [number, string]>> = {
  5: [404, 'not found'],
  7: [403, 'permission denied'],
  8: [429, 'too many requests'],
  13: [500, 'internal error'],
  16: [401, 'no session information'],
};

interface Asked {
  readonly cluster: ClusterObjects;
  readonly request: ApiRequest;
  readonly namespaces: readonly string[];
  /** null: all of them. */
  readonly project: string | null;
  readonly onRefresh: (application: KubernetesObject) => void;
}

/**
 * As `getAppEnforceRBAC` of Argo CD: whoever names no project learns nothing of Applications that are not there; whoever names one that he may
 * read gets 404 for each that is not in it.
 */
function getApplication({ cluster, request, namespaces, project: own, onRefresh }: Asked): Reply {
  const { name, query } = request;
  if (request.type === null) return failure(5, 'Not Found');
  if (name === '') return listApplications({ cluster, request, namespaces, project: own, onRefresh });
  const [named, namespace] = [query.get('project') ?? '', query.get('appNamespace') ?? 'argocd'];
  const mayRead = (project: string) => own === null || own === project;
  if (!namespaces.includes(namespace)) return failure(7, `namespace '${namespace}' is not permitted`);
  if (named !== '' && !mayRead(named)) return failure(7);
  const missing = named === '' ? failure(7) : failure(5, `applications.argoproj.io "${name}" not found`);
  const found = cluster.object('Application', namespace, name);
  const actual = found === null ? null : projectOf(found);
  if (found === null || actual === null || !mayRead(actual) || (named !== '' && named !== actual))
    return missing;
  if (query.has('refresh')) onRefresh(found);
  const { metadata, spec, status, operation } = cluster.object('Application', namespace, name) ?? found;
  return { status: 200, body: { metadata, spec, status, operation } };
}

/** It leaves out what the token may not read, and says nothing of that. */
function listApplications({ cluster, request: { query }, namespaces, project: own }: Asked): Reply {
  const namespace = query.get('appNamespace') ?? 'argocd';
  const wanted = query.getAll('projects');
  const items = cluster.objects('Application', namespace).flatMap((application) => {
    const project = projectOf(application);
    const isRead = project !== null && (own === null || own === project);
    if (!isRead || (wanted.length > 0 && !wanted.includes(project))) return [];
    const { metadata, spec, status, operation } = application;
    return [{ metadata, spec, status, operation }];
  });
  return { status: 200, body: { metadata: {}, items: namespaces.includes(namespace) ? items : [] } };
}

function readRequest(message: IncomingMessage): ApiRequest {
  const { pathname: path, searchParams: query } = new URL(message.url ?? '', 'https://argocd');
  const [matched, name] =
    message.method === 'GET' ? (/^\/api\/v1\/applications(?:\/([^/]+))?$/.exec(path) ?? [null]) : [null];
  return {
    method: message.method ?? '',
    path,
    query,
    headers: message.headers,
    verb: 'get',
    type: matched === null ? null : typeOfKind('Application'),
    namespace: query.get('appNamespace') ?? 'argocd',
    name: decodeURIComponent(name ?? ''),
    subresource: '',
  };
}

/** Its errors have another form than those of Kubernetes. */
function translated(reply: Reply): Reply {
  const code = Object.keys(CODES).find((each) => CODES[Number(each)]?.[0] === reply.status);
  if (code === undefined) return reply;
  const { headers } = reply;
  return { ...failure(Number(code)), ...(headers !== undefined && { headers }) };
}

function failure(code: number, message?: string): Reply {
  const [status, usual] = CODES[code] ?? [500, ''];
  const text = message ?? usual;
  return { status, body: { error: text, code, message: text } };
}

function projectOf({ spec }: KubernetesObject): string | null {
  const project = typeof spec === 'object' && spec !== null && 'project' in spec ? spec.project : null;
  return typeof project === 'string' ? project : null;
}
