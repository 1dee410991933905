/** What a HorizontalPodAutoscaler scales: the number of its replicas is not the manifests' to say. */
import { type IgnoredField, parsePointer } from './ignored.ts';
import { groupOf, textAt } from '../read.ts';

export interface ScaleTarget {
  readonly apiVersion: string | null;
  readonly kind: string;
  readonly name: string;
}

/** Of the autoscalers of one namespace. */
export function scaleTargets(autoscalers: readonly unknown[]): readonly ScaleTarget[] {
  return autoscalers.flatMap((each) => {
    const kind = textAt(each, 'spec', 'scaleTargetRef', 'kind');
    const name = textAt(each, 'spec', 'scaleTargetRef', 'name');
    const apiVersion = textAt(each, 'spec', 'scaleTargetRef', 'apiVersion') ?? null;
    return kind === undefined || name === undefined ? [] : [{ apiVersion, kind, name }];
  });
}

/** By group, as a target may name another version. */
export function isScaled(
  targets: readonly ScaleTarget[],
  object: { readonly apiVersion: string; readonly kind: string; readonly name: string },
): boolean {
  return targets.some(
    ({ apiVersion, kind, name }) =>
      kind === object.kind &&
      name === object.name &&
      (apiVersion === null || groupOf(apiVersion) === groupOf(object.apiVersion)),
  );
}

export const REPLICAS: IgnoredField = parsePointer('/spec/replicas') ?? {
  kind: null,
  keys: ['spec', 'replicas'],
};
