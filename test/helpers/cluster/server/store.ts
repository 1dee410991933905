import { isDeepStrictEqual } from 'node:util';
import { apiVersionOf, typeOfKind } from './resources.ts';
import type { KubernetesObject, ObjectRef, ResourceType } from './types.ts';

export interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: ResourceType;
  readonly object: KubernetesObject;
}

/** The objects of a cluster, and everything that ever happened to them. */
export interface Store {
  /** The newest. */
  readonly version: number;
  /** Creates or replaces it; a status that is not given stays as it is. */
  apply(object: KubernetesObject): KubernetesObject;
  remove(ref: ObjectRef): KubernetesObject | null;
  get(type: ResourceType, namespace: string, name: string): KubernetesObject | null;
  /** By namespace and name. '' for all namespaces. */
  list(type: ResourceType, namespace: string): KubernetesObject[];
  /** Those after a version. Null: they are forgotten. */
  changesAfter(version: number): readonly Change[] | null;
  /** Gives what ends it. */
  follow(listener: (change: Change) => void): () => void;
  /** Forgets what happened, as etcd does after five minutes: older versions and continue tokens are gone. */
  compact(): void;
  readonly compacted: number;
}

const FIRST = 1000;

/** `now`: what new objects are dated with. */
export function createStore(now: () => Date): Store {
  const kinds = new Map<ResourceType, Map<string, KubernetesObject>>();
  const listeners = new Set<(change: Change) => void>();
  let changes: Change[] = [];
  let [version, compacted] = [FIRST, 0];
  const objectsOf = (type: ResourceType) => {
    const found = kinds.get(type) ?? new Map<string, KubernetesObject>();
    kinds.set(type, found);
    return found;
  };
  const record = (type: Change['type'], resource: ResourceType, object: KubernetesObject) => {
    const change = { version, type, resource, object };
    changes.push(change);
    for (const listener of listeners) listener(change);
    return object;
  };
  return {
    get version() {
      return version;
    },
    get compacted() {
      return compacted;
    },
    apply(given) {
      const type = typeOfKind(given.kind);
      checkObject(type, given);
      const [objects, key] = [objectsOf(type), keyOf(given.metadata)];
      const former = objects.get(key) ?? null;
      const object = complete({ given: structuredClone(given), former, type, version: version + 1, now });
      if (former !== null && isDeepStrictEqual(withoutVersion(former), withoutVersion(object))) return former;
      version += 1;
      objects.set(key, object);
      return record(former === null ? 'ADDED' : 'MODIFIED', type, object);
    },
    remove({ kind, namespace, name }) {
      const [type, key] = [typeOfKind(kind), keyOf({ namespace, name })];
      const former = objectsOf(type).get(key);
      if (former === undefined) return null;
      version += 1;
      objectsOf(type).delete(key);
      return record('DELETED', type, withVersion(former, version));
    },
    get: (type, namespace, name) => objectsOf(type).get(keyOf({ namespace, name })) ?? null,
    list: (type, namespace) =>
      [...objectsOf(type)]
        .filter(([, object]) => namespace === '' || object.metadata.namespace === namespace)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => object),
    changesAfter: (from) => (from < compacted ? null : changes.filter((change) => change.version > from)),
    follow(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    compact() {
      changes = [];
      compacted = version;
    },
  };
}

const keyOf = ({
  namespace = '',
  name,
}: {
  readonly namespace?: string | undefined;
  readonly name: string;
}) => `${namespace}/${name}`;

function checkObject(type: ResourceType, { apiVersion, kind, metadata }: KubernetesObject): void {
  if (apiVersion !== apiVersionOf(type))
    throw new Error(`${kind} is of ${apiVersionOf(type)}, not of ${apiVersion}.`);
  if (type.namespaced !== (metadata.namespace !== undefined))
    throw new Error(
      `${kind} ${metadata.name}: ${type.namespaced ? 'it has no namespace' : 'its kind has none'}.`,
    );
}

function complete(known: {
  given: KubernetesObject;
  former: KubernetesObject | null;
  type: ResourceType;
  version: number;
  now: () => Date;
}): KubernetesObject {
  const { given, former, type, version, now } = known;
  const status = given['status'] ?? former?.['status'];
  const object = { ...given, ...(status !== undefined && { status }) };
  const metadata = {
    ...given.metadata,
    uid: former?.metadata.uid ?? `00000000-0000-4000-8000-${String(version).padStart(12, '0')}`,
    resourceVersion: String(version),
    creationTimestamp:
      former?.metadata.creationTimestamp ??
      given.metadata.creationTimestamp ??
      now()
        .toISOString()
        .replace(/\.\d+Z$/, 'Z'),
    ...('spec' in given && { generation: generationOf({ given: object, former, type }) }),
  };
  return { ...object, metadata };
}

/** Status is no subresource of Argo CD's: each change of it counts. */
function generationOf(known: {
  given: KubernetesObject;
  former: KubernetesObject | null;
  type: ResourceType;
}): number {
  const { given, former, type } = known;
  if (former === null) return given.metadata.generation ?? 1;
  const countsStatus = type.custom && !type.subresources.includes('status');
  const fields = (object: KubernetesObject) => ({
    ...object,
    metadata: null,
    ...(!countsStatus && { status: null }),
  });
  return (former.metadata.generation ?? 1) + (isDeepStrictEqual(fields(given), fields(former)) ? 0 : 1);
}

const withVersion = (object: KubernetesObject, version: number): KubernetesObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(version) },
});
const withoutVersion = (object: KubernetesObject) => withVersion(object, 0);
