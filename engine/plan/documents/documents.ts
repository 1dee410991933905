/** The files of a plan as plain values, each blob parsed at most once. */
import type { Entry, FileChange, ObjectId } from '../../model/index.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { decode } from '../../yaml/core/text.ts';
import { valuesOf } from './values.ts';

/** A map of a document; values are not known to be anything. */
export type Fields = Readonly<Record<string, unknown>>;

type Side = FileChange['after'] | Entry;

export interface Documents {
  /** null for what is no text. */
  text(side: Side): Promise<string | null>;
  /** Its documents that are maps, items of a List among them; null for what cannot be parsed. */
  read(path: string, side: Side): Promise<readonly Fields[] | null>;
}

export function createDocuments(snapshot: Pick<Snapshot, 'text'>): Documents {
  const known = new Map<ObjectId, readonly Fields[] | null>();
  const text = async (side: Side) => {
    if (side === null) return null;
    if ('content' in side && side.content !== undefined) return decode(side.content);
    return snapshot.text(side);
  };
  return {
    text,
    read: async (path, side) => {
      if (side === null || !isStructured(path)) return null;
      const found = known.get(side.id);
      if (found !== undefined) return found;
      const own = await text(side);
      const values = own === null ? null : valuesOf(own);
      const maps = values && values.flatMap(withItems);
      known.set(side.id, maps);
      return maps;
    },
  };
}

/** Whether a file of this name can be YAML or JSON. */
export const isStructured = (path: string) => /\.(?:ya?ml|json)$/i.test(path) || !/\.[^/.]+$/.test(path);

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function withItems(value: unknown): Fields[] {
  if (!isFields(value)) return [];
  const { kind, items } = value;
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)
    ? items.filter(isFields)
    : [value];
}

/** What is at these keys; undefined where one of them is missing. A key of a list is an index. */
export function valueAt(value: unknown, ...keys: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of keys) {
    if (Array.isArray(found)) found = found[Number(key)];
    else if (isFields(found) && Object.hasOwn(found, key)) found = found[key];
    else return undefined;
  }
  return found;
}

export const textAt = (value: unknown, ...keys: readonly string[]): string | undefined => {
  const found = valueAt(value, ...keys);
  return typeof found === 'string' ? found : undefined;
};

/** Whether two values are equal, whatever the order of their keys. */
export const isSame = (one: unknown, other: unknown) => canonical(one) === canonical(other);

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      isFields(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
        : inner,
    ) ?? ''
  );
}
