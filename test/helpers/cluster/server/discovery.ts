/** What kubectl asks for first: which resources there are. */
import { apiVersionOf } from './resources.ts';
import type { ApiRequest, Reply, ResourceType } from './types.ts';

const READ = ['get', 'list', 'watch'];
const VERBS = ['create', 'delete', 'deletecollection', ...READ, 'patch', 'update'];
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const VERSION = {
  major: '1',
  minor: '35',
  gitVersion: 'v1.35.2',
  gitCommit: '0'.repeat(40),
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: 'go1.25.5',
  compiler: 'gc',
  platform: 'linux/amd64',
};

/** Null where the path is none of discovery. `aggregated: false` answers as API servers before 1.26. */
export function discover(
  request: ApiRequest,
  resources: readonly ResourceType[],
  aggregated: boolean,
): Reply | null {
  const { path, headers } = request;
  if (path === '/version') return { status: 200, body: VERSION };
  if (['/healthz', '/livez', '/readyz'].includes(path))
    return { status: 200, body: 'ok', headers: { 'content-type': 'text/plain' } };
  const isCore = path === '/api';
  const chosen = resources.filter(({ group }) => (group === '') === isCore);
  if (isCore || path === '/apis') {
    if (aggregated && headers.accept?.includes('as=APIGroupDiscoveryList'))
      return { status: 200, body: groupDiscoveryList(chosen), headers: { 'content-type': AGGREGATED } };
    return { status: 200, body: isCore ? apiVersions() : groupList(chosen) };
  }
  const [, groupVersion] = /^\/apis?\/(v1|[^/]+\/[^/]+)$/.exec(path) ?? [];
  const members = resources.filter((type) => apiVersionOf(type) === groupVersion);
  return members.length === 0 ? null : { status: 200, body: resourceList(groupVersion ?? '', members) };
}

const apiVersions = () => ({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] });

const groupsOf = (types: readonly ResourceType[]) => [...new Set(types.map(({ group }) => group))];

function groupList(types: readonly ResourceType[]): object {
  const groups = groupsOf(types).map((name) => {
    const version = types.find(({ group }) => group === name)?.version ?? '';
    const entry = { groupVersion: `${name}/${version}`, version };
    return { name, versions: [entry], preferredVersion: entry };
  });
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

const resourceList = (groupVersion: string, types: readonly ResourceType[]) => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: types.flatMap((type) => {
    const { resource: name, kind, namespaced, shortNames } = type;
    const of = { namespaced, kind };
    return [
      { name, singularName: kind.toLowerCase(), ...of, verbs: verbsOf(type), shortNames },
      ...type.subresources.map((sub) => ({
        name: `${name}/${sub}`,
        singularName: '',
        ...of,
        verbs: ['get', 'patch', 'update'],
      })),
    ];
  }),
});

function groupDiscoveryList(types: readonly ResourceType[]): object {
  const items = groupsOf(types).map((name) => {
    const members = types.filter(({ group }) => group === name);
    const version = members[0]?.version;
    return {
      metadata: { name, creationTimestamp: null },
      versions: [{ version, freshness: 'Current', resources: members.map(resourceDiscovery) }],
    };
  });
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function resourceDiscovery(type: ResourceType): object {
  const { group, version, kind, resource, namespaced, shortNames, subresources } = type;
  const responseKind = { group, version, kind };
  return {
    resource,
    responseKind,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.toLowerCase(),
    verbs: verbsOf(type),
    shortNames,
    subresources: subresources.map((subresource) => ({
      subresource,
      responseKind,
      verbs: ['get', 'patch', 'update'],
    })),
  };
}

const verbsOf = ({ group }: ResourceType) => (group === 'authorization.k8s.io' ? ['create'] : VERBS);
