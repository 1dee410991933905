/** Data that is no longer than an assistant should be given. */

type Json = Readonly<Record<string, unknown>>;

export interface Fitted {
  /** `leftOut`, where it was cut: how many items are missing of which list. */
  readonly value: Json;
  readonly isCut: boolean;
}

interface List {
  readonly path: readonly string[];
  readonly items: readonly unknown[];
  readonly size: number;
}

/** Shortens the longest of its lists, one after the other, until all of it is at most so many characters of JSON. */
export function fitted(data: Json, most: number): Fitted {
  const leftOut: Record<string, number> = {};
  let value: unknown = data;
  for (let size = sizeOf(value); size > most; size = sizeOf(value)) {
    const list = listsIn(value, []).reduce<List | null>(
      (best, one) => (best === null || one.size > best.size ? one : best),
      null,
    );
    if (list === null) break;
    const kept = Math.floor(list.items.length / 2);
    const name = list.path.join('.');
    leftOut[name] = (leftOut[name] ?? 0) + list.items.length - kept;
    value = replaced(value, list.path, list.items.slice(0, kept));
  }
  const isCut = Object.keys(leftOut).length > 0;
  const shown = isCut ? { ...data, ...Object(value), leftOut } : data;
  return { value: shown, isCut };
}

const sizeOf = (value: unknown) => JSON.stringify(value).length;

/** Those that can be shortened: with more than one item, or with one that holds no such list. */
function listsIn(value: unknown, path: readonly string[]): readonly List[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, each]) => listsIn(each, [...path, key]));
  if (!Array.isArray(value) || value.length === 0 || (value.length === 1 && inner.length > 0)) return inner;
  return [...inner, { path, items: value, size: sizeOf(value) }];
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((each, at) => (String(at) === key ? replaced(each, rest, by) : each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, name === key ? replaced(each, rest, by) : each]),
  );
}
