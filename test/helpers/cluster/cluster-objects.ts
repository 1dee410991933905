import { typeOfKind } from './server/resources.ts';
import { createStore, type Store } from './server/store.ts';
import type { KubernetesObject, ObjectRef } from './server/types.ts';
import { patchedObject } from './server/write.ts';

/** The objects of a cluster, as its controllers see and change them. */
export interface ClusterObjects {
  /** Creates or replaces an object. A status that is not given stays; its namespace appears with it. */
  apply(object: KubernetesObject): KubernetesObject;
  /** A merge patch. @throws Error where there is no such object */
  patch(ref: ObjectRef, patch: object): KubernetesObject;
  /** Replaces its status, as a controller does. */
  setStatus(ref: ObjectRef, status: object): KubernetesObject;
  remove(ref: ObjectRef): KubernetesObject | null;
  object(kind: string, namespace: string | undefined, name: string): KubernetesObject | null;
  objects(kind: string, namespace?: string): KubernetesObject[];
  now(): Date;
}

/** Without a server: for tests that judge objects and start nothing. `now`: what objects are dated with. */
export function clusterObjects(
  now: () => Date = () => new Date('2026-01-05T10:00:00Z'),
  store: Store = createStore(now),
): ClusterObjects {
  const object: ClusterObjects['object'] = (kind, namespace, name) =>
    store.get(typeOfKind(kind), namespace ?? '', name);
  const apply: ClusterObjects['apply'] = (given) => {
    const { namespace } = given.metadata;
    if (namespace !== undefined && object('Namespace', undefined, namespace) === null)
      store.apply(namespaceOf(namespace));
    return store.apply(given);
  };
  const require = ({ kind, namespace, name }: ObjectRef) => {
    const found = object(kind, namespace, name);
    if (found === null) throw new Error(`There is no ${kind} ${namespace ?? ''}/${name}.`);
    return found;
  };
  for (const namespace of ['default', 'kube-system']) store.apply(namespaceOf(namespace));
  return {
    apply,
    object,
    patch: (ref, change) => apply(patchedObject(require(ref), change)),
    setStatus: (ref, status) => apply({ ...require(ref), status }),
    remove: (ref) => store.remove(ref),
    objects: (kind, namespace = '') => store.list(typeOfKind(kind), namespace),
    now,
  };
}

const namespaceOf = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
});
