/** What a cluster answered, as objects of which nothing is known but that they are some. */
import type { ClusterObject, ObjectQuery } from '../../model/index.ts';
import { isFields } from '../read.ts';
import { splitVersion } from './questions.ts';

/** Of `kubectl get --output=json`: a list, one object, or nothing. null for what is none of these. */
export function readObjects(text: string): readonly ClusterObject[] | null {
  if (text.trim() === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isFields(value)) return null;
  const { items, kind } = value;
  if (Array.isArray(items)) return items.every(isFields) ? items : null;
  return typeof kind === 'string' && kind !== 'Status' ? [value] : null;
}

/** Finds what answers a query, by group, kind, namespace and name: in which version a cluster answers is its own business. */
export function indexOf(objects: readonly ClusterObject[]): (query: ObjectQuery) => readonly ClusterObject[] {
  const known = new Map<string, ClusterObject[]>();
  for (const object of objects) {
    const { apiVersion, kind, metadata } = object;
    if (typeof kind !== 'string' || typeof apiVersion !== 'string' || !isFields(metadata)) continue;
    const { namespace, name } = metadata;
    for (const space of new Set([namespace, null]))
      for (const own of [name, null]) {
        const key = keyOf(apiVersion, kind, space, own);
        const same = known.get(key);
        if (same) same.push(object);
        else known.set(key, [object]);
      }
  }
  return ({ apiVersion, kind, namespace, name }) => known.get(keyOf(apiVersion, kind, namespace, name)) ?? [];
}

const keyOf = (apiVersion: string, kind: string, namespace: unknown, name: unknown) =>
  JSON.stringify([splitVersion(apiVersion)[0], kind, namespace ?? null, name ?? null]);
