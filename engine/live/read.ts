/** Reading of values that somebody else wrote: nothing is known to be anything. */

/** A map; its values are not known to be anything. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is at these keys; undefined where one of them is missing. A number is an index of a list. */
export function valueAt(value: unknown, ...keys: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of keys) {
    if (Array.isArray(found) && typeof key === 'number') found = found[key];
    else if (isFields(found) && Object.hasOwn(found, key)) found = found[key];
    else return undefined;
  }
  return found;
}

/** The text there; undefined for anything else, and for ''. */
export function textAt(value: unknown, ...keys: readonly (string | number)[]): string | undefined {
  const found = valueAt(value, ...keys);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** The whole number there, from 0; undefined for anything else. */
export function countAt(value: unknown, ...keys: readonly (string | number)[]): number | undefined {
  const found = valueAt(value, ...keys);
  return typeof found === 'number' && Number.isSafeInteger(found) && found >= 0 ? found : undefined;
}

/** The list there; [] for anything else. */
export function listAt(value: unknown, ...keys: readonly (string | number)[]): readonly unknown[] {
  const found = valueAt(value, ...keys);
  return Array.isArray(found) ? found : [];
}

/** The map there; {} for anything else. */
export function fieldsAt(value: unknown, ...keys: readonly (string | number)[]): Fields {
  const found = valueAt(value, ...keys);
  return isFields(found) ? found : {};
}

/** Milliseconds since 1970 of the time there; null for anything else. */
export function timeAt(value: unknown, ...keys: readonly (string | number)[]): number | null {
  const text = textAt(value, ...keys);
  const time = text !== undefined && /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

/** A condition of `status.conditions`, by its type. */
export const conditionOf = (object: unknown, type: string): unknown =>
  listAt(object, 'status', 'conditions').find((condition) => textAt(condition, 'type') === type);

/** Of an apiVersion: `apps` of `apps/v1`, '' of `v1`. */
export const groupOf = (apiVersion: string) =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
