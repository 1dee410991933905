/** get and list. */
import { apiVersionOf } from './resources.ts';
import { selectorOf } from './selectors.ts';
import { badRequest, expired, notFound } from './status.ts';
import type { Store } from './store.ts';
import type { ApiRequest, KubernetesObject, Reply, ResourceType } from './types.ts';

export function getObject(store: Store, request: ApiRequest): Reply {
  const { type, namespace, name, subresource } = request;
  const found = type === null ? null : store.get(type, namespace, name);
  if (found === null) return notFound(request);
  return { status: 200, body: subresource === 'scale' ? scaleOf(found) : found };
}

/** In chunks of `limit`; `continue` says after which object, and of which version of the list. */
export function listObjects(
  store: Store,
  { type, namespace, query }: ApiRequest & { readonly type: ResourceType },
): Reply {
  const after = readContinue(query.get('continue'));
  if (after === 'invalid') return badRequest('continue key is not valid: illegal base64 data');
  if (after !== null && after.version < store.compacted) return expired();
  const matches = selectorOf(query);
  const all = store
    .list(type, namespace)
    .filter((object) => matches(object) && (after === null || keyOf(object) > after.key));
  const limit = Number(query.get('limit') ?? '0');
  const items = limit > 0 ? all.slice(0, limit) : all;
  const last = items.at(-1);
  const version = after?.version ?? store.version;
  const more = last !== undefined &&
    items.length < all.length && {
      continue: Buffer.from(JSON.stringify({ version, key: keyOf(last) })).toString('base64url'),
      remainingItemCount: all.length - items.length,
    };
  return {
    status: 200,
    body: {
      kind: `${type.kind}List`,
      apiVersion: apiVersionOf(type),
      metadata: { resourceVersion: String(version), ...more },
      items: type.custom ? items : items.map(withoutKind),
    },
  };
}

export function scaleOf({ metadata, spec, status }: KubernetesObject): object {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const replicas = (of: unknown) =>
    typeof of === 'object' && of !== null && 'replicas' in of ? of.replicas : 0;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: replicas(spec) },
    status: { replicas: replicas(status) },
  };
}

const keyOf = ({ metadata }: KubernetesObject) => `${metadata.namespace ?? ''}/${metadata.name}`;

/** As the items of a list of a kind that is built in. */
const withoutKind = (object: KubernetesObject) => ({ ...object, apiVersion: undefined, kind: undefined });

function readContinue(token: string | null): { version: number; key: string } | null | 'invalid' {
  if (token === null || token === '') return null;
  try {
    const { version, key } = JSON.parse(Buffer.from(token, 'base64url').toString());
    return { version: Number(version), key: String(key) };
  } catch {
    return 'invalid';
  }
}
