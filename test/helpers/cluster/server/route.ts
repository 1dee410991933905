import type { IncomingMessage } from 'node:http';
import type { ApiRequest, ResourceType } from './types.ts';

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' };

/** What a request asks for, of the resources that the cluster has. */
export function readRequest(message: IncomingMessage, resources: readonly ResourceType[]): ApiRequest {
  const { pathname, searchParams: query } = new URL(message.url ?? '', 'https://cluster');
  const method = message.method ?? '';
  const target = readPath(pathname, resources);
  return {
    method,
    path: pathname,
    query,
    headers: message.headers,
    verb: verbOf(method, target, query),
    ...target,
  };
}

type Target = Pick<ApiRequest, 'type' | 'namespace' | 'name' | 'subresource'>;

function readPath(path: string, resources: readonly ResourceType[]): Target {
  const [root, ...parts] = path.split('/').slice(1).map(decodeURIComponent);
  const [group, version] = root === 'api' ? ['', parts.shift()] : [parts.shift(), parts.shift()];
  const isNamespaced = parts[0] === 'namespaces' && parts.length > 2;
  const namespace = isNamespaced ? (parts[1] ?? '') : '';
  const [resource, name = '', subresource = ''] = isNamespaced ? parts.slice(2) : parts;
  const type = resources.find(
    (each) => each.group === group && each.version === version && each.resource === resource,
  );
  const isKnown = type !== undefined && (subresource === '' || type.subresources.includes(subresource));
  return isKnown
    ? { type, namespace, name, subresource }
    : { type: null, namespace: '', name: '', subresource: '' };
}

function verbOf(method: string, { type, name }: Target, query: URLSearchParams): string {
  if (type === null) return method.toLowerCase();
  if (method === 'DELETE') return name === '' ? 'deletecollection' : 'delete';
  if (method !== 'GET') return VERBS[method] ?? method.toLowerCase();
  if (['1', 'true'].includes(query.get('watch') ?? '')) return 'watch';
  return name === '' ? 'list' : 'get';
}
