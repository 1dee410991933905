/** What a Kustomization of Flux says of drift: where its objects are, and which it has applied. */
import type { ObjectName } from './application.ts';
import { listAt, textAt, valueAt } from '../read.ts';

export interface KustomizationRules {
  /** Of all its manifests, whatever they say; null: what they say. */
  readonly namespace: string | null;
  /** Why its objects are not in the cluster that it is in; null: they are. */
  readonly elsewhere: string | null;
  /** What it has applied and not removed. */
  readonly inventory: readonly ObjectName[];
}

export function kustomizationRules(kustomization: unknown): KustomizationRules {
  const isElsewhere = valueAt(kustomization, 'spec', 'kubeConfig') !== undefined;
  return {
    namespace: textAt(kustomization, 'spec', 'targetNamespace') ?? null,
    elsewhere: isElsewhere ? 'Flux deploys it to another cluster (spec.kubeConfig).' : null,
    inventory: listAt(kustomization, 'status', 'inventory', 'entries').flatMap((entry) => {
      const named = parseId(textAt(entry, 'id') ?? '');
      return named === null ? [] : [named];
    }),
  };
}

/** `namespace_name_group_kind` (cli-utils, object.ObjMetadata): a colon of a name is written as two underscores. */
function parseId(id: string): ObjectName | null {
  const first = id.indexOf('_');
  const last = id.lastIndexOf('_');
  const before = id.lastIndexOf('_', last - 1);
  if (first === -1 || before <= first) return null;
  const [namespace, name, group, kind] = [
    id.slice(0, first),
    id.slice(first + 1, before).replaceAll('__', ':'),
    id.slice(before + 1, last),
    id.slice(last + 1),
  ];
  return name === '' || kind === ''
    ? null
    : { group, kind, name, namespace: namespace === '' ? null : namespace };
}
