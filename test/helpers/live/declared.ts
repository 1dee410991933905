import type { DeclaredObject } from '../../../engine/live/observer.ts';
import type { ClusterObject } from '../../../engine/model/index.ts';

/** An object as a manifest declares it. */
export function declaredObject(
  value: ClusterObject,
  path = 'rendered/acme/production/api.yaml',
): DeclaredObject {
  const { apiVersion, kind, metadata } = value;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by tests
  const { name, namespace } = metadata as { readonly name: string; readonly namespace?: string };
  return {
    apiVersion: String(apiVersion),
    kind: String(kind),
    name,
    namespace: namespace ?? null,
    path,
    value,
  };
}

/** A Deployment with what tests look at. */
export function deployment(spec: ClusterObject = {}, metadata: ClusterObject = {}): ClusterObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', ...metadata },
    spec: {
      replicas: 3,
      template: {
        spec: {
          containers: [
            {
              name: 'api',
              image: 'registry.example.com/api:v1',
              env: [
                { name: 'LOG_LEVEL', value: 'info' },
                { name: 'DB_PASSWORD', value: 'hunter2-hunter2' },
              ],
            },
          ],
        },
      },
      ...spec,
    },
  };
}

type Keys = readonly (string | number)[];

/** The same value, changed at one place. `change` gives undefined for what is to go. */
export function changedAt(
  value: unknown,
  [key, ...rest]: Keys,
  change: (value: unknown) => unknown,
): unknown {
  if (key === undefined) return change(value);
  if (Array.isArray(value))
    return value.map((each, at) => (at === key ? changedAt(each, rest, change) : each));
  const map: Record<string, unknown> = { ...Object(value) };
  const inner = changedAt(map[key], rest, change);
  const { [key]: _, ...others } = map;
  return inner === undefined ? others : { ...map, [key]: inner };
}

/** A Deployment, changed in its one container. */
export function withContainer(field: Keys, value: unknown, object = deployment()): ClusterObject {
  const keys = ['spec', 'template', 'spec', 'containers', 0, ...field];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a map stays a map
  return changedAt(object, keys, () => value) as ClusterObject;
}
