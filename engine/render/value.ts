/**
 * What a document holds, as the renderers see it. Maps are `Map`, so that no key (`__proto__`) can do harm.
 * Plain scalars keep their source text: YAML 1.1 and 1.2 readers disagree about `on`, `0644` and `1e3`, and the reader of
 * the manifests must see what stands in the source.
 */
export type Value = string | Plain | readonly Value[] | ValueMap;

export type ValueMap = ReadonlyMap<string, Value>;

/** A scalar without quotes that is a number, a boolean, null, or that some reader could take for one. */
export class Plain {
  /** One line; '' where the source leaves the value out. */
  readonly source: string;
  /** As YAML 1.2 (core schema) reads it. */
  readonly value: string | number | bigint | boolean | null;

  constructor(source: string, value: Plain['value']) {
    this.source = source;
    this.value = value;
  }
}

export const isMap = (value: Value | undefined): value is ValueMap => value instanceof Map;

/** The text of a scalar as it stands in the source (`1.10` stays `1.10`); undefined for null and for collections. */
export function textOf(value: Value | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Plain && value.value !== null ? value.source : undefined;
}

/** Code unit order: the same on every machine, whatever its language. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Makes a value of plain data; entries that are undefined are left out. */
export function toValue(data: Data): Value {
  if (data instanceof Plain || data instanceof Map || typeof data === 'string') return data;
  if (typeof data === 'number' || typeof data === 'boolean') return new Plain(String(data), data);
  if (isList(data)) return data.map(toValue);
  const entries = Object.entries(data).filter((entry): entry is [string, Data] => entry[1] !== undefined);
  return new Map(entries.map(([key, item]) => [key, toValue(item)]));
}

export type Data = Value | number | boolean | readonly Data[] | { readonly [key: string]: Data | undefined };

const isList = (data: Data): data is readonly Data[] => Array.isArray(data);
