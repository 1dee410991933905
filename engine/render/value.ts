/**
 * Values of documents. Maps are `Map`, so that keys such as `__proto__` are harmless. Plain scalars keep their source text: YAML 1.1 and
 * 1.2 parsers disagree about `on`, `0644` and `1e3`, and the output must have what the source has.
 */
export type Value = string | Plain | readonly Value[] | ValueMap;

export type ValueMap = ReadonlyMap<string, Value>;

/** A plain (unquoted) scalar that is, or that some parser could read as, a number, boolean or null. */
export class Plain {
  /** One line; '' if the value is not written. */
  readonly source: string;
  /** The value under the YAML 1.2 core schema. */
  readonly value: string | number | bigint | boolean | null;

  constructor(source: string, value: Plain['value']) {
    this.source = source;
    this.value = value;
  }
}

export const isMap = (value: Value | undefined): value is ValueMap => value instanceof Map;

/** The text of a scalar as written (`1.10` stays `1.10`); undefined for null and for collections. */
export function textOf(value: Value | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Plain && value.value !== null ? value.source : undefined;
}

/** Compares by code unit, independent of the locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Converts plain data to a value; undefined entries are omitted. */
export function toValue(data: Data): Value {
  if (data instanceof Plain || data instanceof Map || typeof data === 'string') return data;
  if (typeof data === 'number' || typeof data === 'boolean') return new Plain(String(data), data);
  if (isList(data)) return data.map(toValue);
  const entries = Object.entries(data).filter((entry): entry is [string, Data] => entry[1] !== undefined);
  return new Map(entries.map(([key, item]) => [key, toValue(item)]));
}

export type Data = Value | number | boolean | readonly Data[] | { readonly [key: string]: Data | undefined };

const isList = (data: Data): data is readonly Data[] => Array.isArray(data);
